"""Fixtures of the black-box suite: one server per module for independent tests, or a test's own ones."""
import contextlib
import os
import random
import uuid

import pytest

from support.client import Client
from support.http_raw import RawConnection
from support.server import External, Server

URL = os.environ.get("ARMAZEM_URL")
VIA_PROXY = bool(URL) and os.environ.get("ARMAZEM_URL_VIA_PROXY") == "1"
SEED = int(os.environ.get("ARMAZEM_TEST_SEED", random.SystemRandom().randrange(2**32)))
NEEDS_PROCESS = "ARMAZEM_URL is set: this test must own the server process"


def pytest_report_header():
    return f"armazem: {URL or 'own servers'}; seed {SEED} (repeat with ARMAZEM_TEST_SEED={SEED})"


def pytest_collection_modifyitems(items):
    if VIA_PROXY:
        skip = pytest.mark.skip(reason="ARMAZEM_URL_VIA_PROXY=1: a proxy's parser would answer, not the server's")
        for item in items:
            if item.get_closest_marker("edge"):
                item.add_marker(skip)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    """A failure shows the end of the log of every server the test used."""
    outcome = yield
    report = outcome.get_result()
    if report.failed:
        for name, value in getattr(item, "funcargs", {}).items():
            for server in getattr(value, "servers", [value]):
                if isinstance(server, Server):
                    report.sections.append((f"log of {name}", server.log_tail()))


@pytest.fixture(scope="module")
def server():
    """Shared by the tests of a module, so each must use keys of its own."""
    if URL:
        yield External(URL)
        return
    running = Server()
    try:
        yield running.start()
    finally:
        running.close()


@pytest.fixture(scope="module")
def queue(server):
    """Whether the server has one for its writes, as its readiness says; without one no write is answered with 202."""
    client = Client(server.address)
    try:
        checks = client.request("GET", "/health/ready?verbose").json()["checks"]
    finally:
        client.close()
    return any(check["name"] == "queue" for check in checks)


@pytest.fixture(scope="module")
def own_server(server):
    """The module's server where the test needs one that nobody else speaks to."""
    if not server.owned:
        pytest.skip(NEEDS_PROCESS)
    return server


class Starter:
    """Called with extra arguments it starts a server of this test alone."""

    def __init__(self, stack):
        self.stack = stack
        self.servers = []

    def __call__(self, *args, **options):
        server = Server(*args, **options)
        self.servers.append(server)
        self.stack.callback(server.close)
        return server.start()


@pytest.fixture
def start_server():
    if URL:
        pytest.skip(NEEDS_PROCESS)
    with contextlib.ExitStack() as stack:  # closes every one of them, even when closing one fails
        yield Starter(stack)


@pytest.fixture
def owns_process():
    """For tests that start the binary themselves."""
    if URL:
        pytest.skip(NEEDS_PROCESS)


@pytest.fixture
def make_client():
    """Clients for servers of the test's own, closed with the test."""
    clients = []

    def make(server, as_written=False):
        clients.append(Client(server.address, as_written))
        return clients[-1]

    yield make
    for client in clients:
        client.close()


@pytest.fixture
def client(server, make_client):
    return make_client(server)


@pytest.fixture
def plain_client(server, make_client):
    """For tests of read levels and of 202: sends what they wrote, on a cluster too."""
    return make_client(server, as_written=True)


@pytest.fixture
def connect():
    """Raw connections, closed with the test."""
    connections = []

    def make(server):
        connections.append(RawConnection(server.address))
        return connections[-1]

    yield make
    for connection in connections:
        connection.close()


@pytest.fixture
def key():
    return f"t-{uuid.uuid4().hex}"


@pytest.fixture
def seeded():
    """Randomness that can be repeated; the seed stands in the header and in every failure."""
    print(f"seed {SEED}")
    return random.Random(SEED)
