"""What operators do: stop and start parts gracefully under load, look at dead letters, ask what became of a write."""
import os
import signal
import time
import uuid

import pytest

from support.amqp import Amqp
from support.client import Client
from support.cluster_view import converged
from support.metrics import fetch_metrics
from support.server import Server
from support.wait import until
from support.workload import ACKNOWLEDGED, Workload


@pytest.mark.parametrize("name", ["worker-1", "worker-2", "worker-3"])
def test_a_worker_stops_gracefully_without_a_failed_request(cluster, name):
    with Workload(cluster.front(), prefix=f"stop-{name}-{time.time_ns()}") as load:
        until(lambda: load.count("PUT", ACKNOWLEDGED) >= 200, 30, "the clients to be at work")
        daemon = cluster.cluster.components[name].daemon
        os.kill(daemon.running(), signal.SIGTERM)
        until(lambda: not daemon.running(), 30, f"{name} to end by itself")
        stopped = time.monotonic()
        until(lambda: load.count("PUT", (200, 201), since=stopped) >= 200, 30, "the others to carry on")
        cluster.heal()
    assert set(load.statuses("PUT")) <= {200, 201}, load.statuses("PUT")
    assert load.violations == []
    converged(load, cluster.front())


def dead_letters_seen(cluster):
    """What the workers say at /metrics, as of their last look."""
    workers = range(1, cluster.cluster.settings.choices.workers + 1)
    return {fetch_metrics(cluster.worker(number)).value("armazem_queue_dead_letters") for number in workers}


def test_a_message_that_is_none_becomes_a_dead_letter(cluster):
    settings = cluster.cluster.settings
    before = len(cluster.dead_letters())
    marker = uuid.uuid4().hex
    channel = Amqp(settings.ports.of("haproxy-amqp"), "armazem", settings.secret("rabbitmq-armazem"))
    channel.publish(marker.encode(), "store-events.0")
    channel.close()
    letters = until(lambda: found if len(found := cluster.dead_letters()) > before else None, 30, "a dead letter")
    newest = letters[-1]
    assert newest["reason"] == "undecodable" and newest["message_bytes"] == len(marker)
    until(lambda: dead_letters_seen(cluster) == {before + 1}, 30, "every worker's gauge to count it")
    code, text = cluster.command("deadletters", "show", str(newest["number"]))
    assert code == 0 and "undecodable" in text
    code, text = cluster.command("deadletters", "replay", str(newest["number"]))
    assert code == 1, "bytes that are no write cannot be replayed: " + text
    code, text = cluster.command("deadletters", "drop", str(newest["number"]))
    assert code == 0, text
    assert len(cluster.dead_letters()) == before
    until(lambda: dead_letters_seen(cluster) == {before}, 30, "every worker's gauge to forget it")
    # The queue goes on behind it.
    client = Client(cluster.front())
    assert client.put(f"after-{marker}", b"x").status == 201


def test_an_asynchronous_write_can_be_followed(cluster):
    client = Client(cluster.front())
    key = f"async/{uuid.uuid4().hex} ü"
    response = client.put(key, b"later", {"Prefer": "respond-async"})
    assert response.status == 202, repr(response)
    assert response.json()["status"] == "pending"

    def applied():
        state = client.request("GET", response.header("Location"))
        assert state.status == 200, repr(state)
        return state.json() if state.json()["status"] == "applied" else None
    state = until(applied, 15, "the write to be applied")
    assert state["effect"] == "created"
    seen = client.get(key, {"Armazem-Min-Version": response.header("Armazem-Version")}, "?raw")
    assert seen.status == 200 and seen.body == b"later"


def test_missing_queues_are_named_at_the_start(cluster):
    """A server for more queues than `armazem migrate` has made says so, and serves all the same."""
    config = cluster.cluster.components["api-1"].home / "armazem.toml"
    server = Server("--config", str(config), "--queue-partitions", "7", "--listen", "127.0.0.1")
    try:
        server.start()
        assert "store-events." in server.log() and "armazem migrate" in server.log(), server.log()
        assert Client(server.address).put(f"many-queues-{uuid.uuid4().hex}", b"x").status == 201
    finally:
        server.close()


def test_migrate_may_run_again(cluster):
    for _ in range(2):
        code, text = cluster.command("migrate", seconds=90)
        assert code == 0, text
