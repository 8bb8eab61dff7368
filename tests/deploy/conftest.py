"""A whole cluster (that of ./test.sh where it runs), and what its processes say at /metrics."""
import pytest

from e2e.conftest import cluster, running_cluster  # noqa: F401 (fixtures)
from support.client import Client
from support.metrics import fetch_metrics
from support.server import Server


def used(address):
    """The metrics of an API after one request of each kind: routes appear with their first request."""
    client = Client(address)
    assert client.put("deploy-metrics", b"x").status in (200, 201)
    assert client.get("deploy-metrics").status == 200
    assert client.put_json("deploy-metrics", "y").status in (200, 201)
    client.close()
    return fetch_metrics(address)


@pytest.fixture(scope="session")
def api_metrics(running_cluster):  # noqa: F811
    return used(("127.0.0.1", running_cluster.settings.ports.of("api", 1)))


@pytest.fixture(scope="session")
def worker_metrics(running_cluster):  # noqa: F811
    return fetch_metrics(("127.0.0.1", running_cluster.settings.ports.of("worker", 1)))


@pytest.fixture(scope="session")
def rocksdb_metrics():
    server = Server()
    try:
        yield used(server.start().address)
    finally:
        server.close()
