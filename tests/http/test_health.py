"""Liveness and readiness."""
import pytest

from support.checks import assert_problem


def test_live(client):
    response = client.request("GET", "/health/live")
    assert response.status == 200
    assert response.header("Content-Type") == "application/json"
    assert response.json() == {"status": "live"}


def test_ready(client):
    response = client.request("GET", "/health/ready")
    assert response.status == 200
    assert response.header("Content-Type") == "application/json"
    assert response.json() == {"status": "ready"}


def test_ready_verbose(client, server):
    """One check for each part that there is, the same ones for each server of a cluster."""
    body = client.request("GET", "/health/ready?verbose").json()
    assert body["status"] == "ready"
    checks = {check["name"]: check for check in body["checks"]}
    assert checks["store"]["status"] == "ok" and "detail" in checks["store"]
    assert checks["server"]["status"] == "ok"
    assert all(check["status"] in ("ok", "failed") and isinstance(check["detail"], str) for check in checks.values())
    assert len(checks) == len(body["checks"]), "a name twice"
    if server.owned:
        assert list(checks) == ["store", "server"]
    else:
        assert set(checks) <= {"store", "cache", "queue", "server"}
    assert isinstance(body["version"], str) and body["version"]
    assert 0 <= body["uptime_seconds"] < (600 if server.owned else float("inf"))


def test_uptime_moves_on(own_server, client):
    """Of one process: those of a cluster have started one after the other."""
    first = client.request("GET", "/health/ready?verbose").json()["uptime_seconds"]
    assert client.request("GET", "/health/ready?verbose").json()["uptime_seconds"] >= first


@pytest.mark.parametrize("word", ["health", "health/live", "health/ready"])
def test_keys_of_the_same_name_are_no_health_checks(client, word):
    client.delete(word)
    assert_problem(client.get(word), 404, "not-found")
    client.put(word, b"mine")
    assert client.get(word).json() == {"value": "mine"}
    assert client.request("GET", "/health/live").json() == {"status": "live"}
    client.delete(word)


def test_memory_store_is_ready_too(start_server, make_client, key):
    client = make_client(start_server("--store", "memory"))
    assert client.request("GET", "/health/ready").json() == {"status": "ready"}
    assert client.put(key, b"x").status == 201
    assert client.get_raw(key).body == b"x"
