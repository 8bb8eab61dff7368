"""Fixtures of the tests of client commands; the server's is in ../conftest.py."""
import pytest

from support.commands import finish, start, url_of


@pytest.fixture
def run():
    """run("bench", …): waits for its end."""
    return lambda *args: finish(start(*args))


@pytest.fixture
def bench(server, run):
    """A run against the module's server, as JSON unless told otherwise."""
    def go(*args, kind="--json"):
        return run("bench", "--url", url_of(server), "--quiet", *([kind] if kind else []), *args)
    return go


@pytest.fixture
def begin():
    """Starts a command in the background; it is ended with the test."""
    running = []

    def go(*args, **options):
        running.append(start(*args, **options))
        return running[-1]

    yield go
    for process in running:
        if process.poll() is None:
            process.kill()
        process.communicate()
