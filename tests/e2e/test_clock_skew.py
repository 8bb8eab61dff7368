"""Two API processes whose clocks differ by five seconds: writes that follow each other through alternating processes are
never lost and never reordered, whichever of the two is ahead."""
import contextlib
import uuid

import pytest

from support.client import Client
from support.server import Server

WRITES = 40


@contextlib.contextmanager
def api_with_offset(cluster, offset):
    """One more API process on the cluster's tiers, its own clock shifted."""
    config = cluster.cluster.components["api-1"].home / "armazem.toml"
    server = Server("--config", str(config), "--test-clock-offset", offset, "--listen", "127.0.0.1")
    try:
        yield server.start()
    finally:
        server.close()


@pytest.mark.parametrize("first,second", [("-5s", "0ms"), ("0ms", "-5s"), ("5s", "0ms"), ("-5s", "5s")])
def test_sequential_writes_through_skewed_clocks(cluster, first, second):
    key = f"skew-{uuid.uuid4().hex}"
    with api_with_offset(cluster, first) as one, api_with_offset(cluster, second) as two:
        clients = [Client(one.address), Client(two.address), Client(cluster.front())]
        versions = []
        for number in range(WRITES):
            writer = clients[number % 2]
            response = writer.put(key, str(number).encode())
            assert response.status in (200, 201), repr(response)
            versions.append(response.header("Armazem-Version"))
            for reader in clients:
                seen = reader.get(key, {"Cache-Control": "no-cache"}, "?raw")
                assert int(seen.body) == number, f"write {number} was answered {response.status} and is not there"
        assert versions == sorted(versions) and len(set(versions)) == WRITES

        deleted = clients[1].delete(key)
        assert deleted.status == 204, repr(deleted)
        for reader in clients:
            assert reader.get(key, {"Cache-Control": "no-cache"}).status == 404
        for client in clients:
            client.close()
