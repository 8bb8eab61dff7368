"""Fixtures of the tests of client commands; the server's is in ../conftest.py."""
import subprocess

import pytest

from support.commands import finish, start, url_of
from support.fake_upstream import FakeUpstream


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
def ask(server):
    """A client command against the module's server, its input and output in bytes."""
    def go(command, *args, given=None, **options):
        process = start(command, "--url", url_of(server), *args, text=False,
                        stdin=subprocess.DEVNULL if given is None else subprocess.PIPE, **options)
        return finish(process, given)
    return go


@pytest.fixture
def fake_server():
    """fake_server(bytes): answers every request with them; None closes the connection, b"" says nothing."""
    running = []

    def go(answer):
        fake = FakeUpstream(lambda request: answer)
        fake.address = ("127.0.0.1", fake.port)
        running.append(fake)
        return fake

    yield go
    for fake in running:
        fake.close()


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
