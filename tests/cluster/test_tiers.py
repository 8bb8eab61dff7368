"""The real servers: started, looked at, stopped and started again. One cluster for all; the tests run in this order."""
import http.client
import os
import socket
import time

import pytest

from cluster import Cluster, StartFailed, processes, resp
from cluster.ports import LOOPBACK
from support.amqp import Amqp, Refused
from support.wait import until

SERVERS = ["rabbitmq", "redis", "postgres", "haproxy"]
QUEUE = "store-events.0"


@pytest.fixture(scope="module")
def cluster(module_scratch):
    made = Cluster.make(module_scratch / "data", free_ports=True, sql="postgres")
    try:
        made.start(*SERVERS)
        yield made
    finally:
        made.stop(say=lambda text: None)


def secret(cluster, name):
    return cluster.settings.secret(name)


def parts(cluster):
    return cluster.select(SERVERS)


def pids(cluster):
    return {part.name: part.daemon.running() for part in parts(cluster)}


def amqp(cluster, user="armazem", password=None, port=None):
    name = "rabbitmq-admin" if user == "armazem-admin" else f"rabbitmq-{user}"
    return Amqp(port or cluster.settings.ports.of("haproxy-amqp"), user, password or secret(cluster, name))


def listeners(families):
    """Addresses as /proc/net/tcp spells them, of the sockets in state LISTEN that these processes hold."""
    inodes = set()
    for pid in families:
        for link in os.listdir(f"/proc/{pid}/fd"):
            try:
                inodes.add(os.readlink(f"/proc/{pid}/fd/{link}"))
            except OSError:
                pass
    found = []
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with open(table) as lines:
            for fields in (line.split() for line in list(lines)[1:]):
                if fields[3] == "0A" and f"socket:[{fields[9]}]" in inodes:
                    found.append(fields[1].rsplit(":", 1)[0])
    return found


def test_all_are_well(cluster):
    assert {part.name: part.health() for part in parts(cluster)} == {name: ("running", None) for name in pids(cluster)}


def test_nothing_listens_beyond_loopback(cluster):
    found = listeners(pid for part in parts(cluster) for pid in processes.family_of(part.daemon.identity()))
    assert len(found) >= 20
    loopback = {"0100007F", "00000000000000000000000001000000", "0000000000000000FFFF00000100007F"}
    assert set(found) <= loopback


def test_files_with_secrets_are_private(cluster):
    settings = cluster.settings
    passwords = [file.read_text() for file in (settings.data / "secrets").iterdir()]
    assert len(passwords) >= 8 and len(set(passwords)) == len(passwords)
    for directory, _, names in os.walk(settings.data):
        if os.path.basename(directory) in ("db", "base"):
            continue
        for name in names:
            path = os.path.join(directory, name)
            if os.path.getsize(path) < 100_000 and any(word.encode() in open(path, "rb").read() for word in passwords):
                assert os.stat(path).st_mode & 0o077 == 0, f"{path} holds a password and others may read it"


def test_no_password_stands_in_a_command_line(cluster):
    passwords = [file.read_bytes() for file in (cluster.settings.data / "secrets").iterdir()]
    for part in parts(cluster):
        for pid in processes.family_of(part.daemon.identity()):
            try:
                line = open(f"/proc/{pid}/cmdline", "rb").read()
            except OSError:
                continue  # a backend that has ended meanwhile
            assert not any(word in line for word in passwords), part.name


def test_redis_has_no_default_user(cluster):
    port = cluster.settings.ports.of("redis", 1)
    with socket.create_connection((LOOPBACK, port)) as connection:
        connection.sendall(b"PING\r\n")
        assert connection.recv(100).startswith(b"-NOAUTH")
    for user, password in (("default", ""), ("default", "default"), ("armazem", "armazem"), ("operator", "")):
        with pytest.raises(resp.Refused):
            resp.Connection(LOOPBACK, port, user, password, 5)


def test_the_application_may_do_its_own_in_redis_and_no_more(cluster):
    for number in range(1, 7):
        with resp.Connection(LOOPBACK, cluster.settings.ports.of("redis", number), "armazem",
                             secret(cluster, "redis-armazem"), 5) as redis:
            assert redis.call("PING") == "PONG" and redis.call("CLUSTER", "NODES")
            for command in (["SET", "other", "1"], ["FLUSHALL"], ["CONFIG", "GET", "*"], ["KEYS", "*"], ["ACL", "LIST"],
                            ["SCRIPT", "FLUSH"], ["CLUSTER", "RESET"], ["CLUSTER", "SLOTS"], ["INFO"],
                            ["EVAL", "return redis.call('SET', 'other', '1')", "0"]):
                with pytest.raises(resp.Refused) as refused:
                    redis.call(*command)
                assert "NOPERM" in str(refused.value) or "can't access" in str(refused.value), command
            try:
                # Commands within a script need the right, too.
                script = "redis.call('SET', KEYS[1], 'value') return redis.call('GETRANGE', KEYS[1], 0, 2)"
                assert redis.call("EVAL", script, "1", "armazem:k") == "val"
            except resp.Refused as moved:
                assert str(moved).startswith("MOVED")


def test_rabbitmq_has_no_guest(cluster):
    port = cluster.settings.ports.of("rabbitmq", 1)
    for user, password, vhost in (("guest", "guest", "/"), ("armazem", "armazem", "armazem")):
        with pytest.raises((Refused, ConnectionError)):
            Amqp(port, user, password, vhost)
    connection = http.client.HTTPConnection(LOOPBACK, cluster.settings.ports.of("rabbitmq-management", 1), timeout=10)
    connection.request("GET", "/api/overview", headers={"Authorization": "Basic Z3Vlc3Q6Z3Vlc3Q="})
    assert connection.getresponse().status == 401
    connection.close()


def test_the_application_may_do_its_own_in_rabbitmq_and_no_more(cluster):
    with amqp(cluster, "armazem-admin", port=cluster.settings.ports.of("rabbitmq", 2)) as admin:
        admin.declare(QUEUE, durable=True, quorum=True)
        admin.declare("store-events.dead", durable=True, quorum=True)
        admin.declare("foreign", durable=True, quorum=True)
    with amqp(cluster) as app:
        assert app.declare(QUEUE, passive=True) == QUEUE
        assert app.declare("store-events.dead", passive=True)
        app.publish(b"one", QUEUE)
        assert app.get(QUEUE) == b"one"
        replies = app.declare(exclusive=True)
        assert replies.startswith("amq.gen")
        app.publish(b"reply", replies)
        assert app.get(replies) == b"reply"
    for forbidden in (lambda app: app.declare("store-events.1", durable=True), lambda app: app.delete(QUEUE),
                      lambda app: app.publish(b"x", "", "amq.fanout"), lambda app: app.bind(QUEUE, "amq.fanout"),
                      lambda app: app.get("foreign"), lambda app: app.purge("foreign")):
        with amqp(cluster) as app, pytest.raises(Refused) as refused:
            forbidden(app)
        assert refused.value.code == 403


def test_postgres_trusts_nobody(cluster):
    server = cluster.components["postgres"]
    for user in ("operator", "postgres", "armazem", "haproxy"):
        with pytest.raises(RuntimeError, match="password|SASL"):
            server.sql("SELECT 1", "armazem", user, "rabbitmq-armazem")  # somebody else's password
    assert server.sql("SELECT 1", "armazem", "armazem", "postgres-armazem").strip() == "1"
    assert server.sql("SHOW fsync").strip() == "on"


def test_a_start_of_what_runs_leaves_it_alone(cluster):
    before = pids(cluster)
    begun = time.monotonic()
    cluster.start(*SERVERS)
    assert pids(cluster) == before and all(before.values())
    assert time.monotonic() - begun < 10


def test_killed_and_paused_parts_are_seen_and_healed(cluster):
    others = {name: pid for name, pid in pids(cluster).items() if name not in ("redis-6", "postgres")}
    cluster.kill("postgres")
    cluster.kill("redis-6")
    cluster.pause("redis-5")
    assert cluster.problem("postgres") == "not running" and "paused" in cluster.problem("redis-5")
    cluster.resume("redis-5")
    cluster.start("redis-6", "postgres")
    assert cluster.problem("redis-6") is None and cluster.problem("postgres") is None
    assert {name: pid for name, pid in pids(cluster).items() if name in others} == others


def test_a_redis_cluster_that_was_half_formed_is_completed(scratch):
    """Two starts that were cut short: before the nodes met, and before they got their replicas."""
    made = Cluster.make(scratch / "data", free_ports=True, sql="postgres")
    nodes = made.tiers["redis"].components
    try:
        made.settings.save()
        for node in nodes:
            node.launch()
        for node in nodes:
            node.wait(node.answers)
        nodes[0].call("CLUSTER", "SET-CONFIG-EPOCH", 1)
        nodes[0].call("CLUSTER", "ADDSLOTSRANGE", 0, 5460)
        made.start("redis")
        assert roles(nodes) == ["master"] * 3 + ["slave"] * 3
        identity = nodes[4].call("CLUSTER", "MYID")
        nodes[4].call("CLUSTER", "RESET", "SOFT")
        nodes[0].call("CLUSTER", "MEET", LOOPBACK, nodes[4].port, nodes[4].bus_port)
        until(lambda: any(line.startswith(identity) and " master - " in line
                          for line in nodes[0].call("CLUSTER", "NODES").splitlines()), 20, "the reset to be known")
        assert roles(nodes)[4] == "master"
        made.start("redis")
        assert roles(nodes) == ["master"] * 3 + ["slave"] * 3
    finally:
        made.stop(say=lambda text: None)


def roles(nodes):
    return [node.fields("INFO", "replication")["role"] for node in nodes]


def test_stop_leaves_nothing_and_a_start_finds_everything(cluster):
    owner = ("armazem", "armazem", "postgres-armazem")
    cluster.components["postgres"].sql("CREATE TABLE kept AS SELECT 42 AS it", *owner)
    with amqp(cluster) as app:
        app.publish(b"kept", QUEUE)
    ports = cluster.settings.choices
    families = [pid for part in parts(cluster) for pid in processes.family_of(part.daemon.identity())]
    said = []

    cluster.stop(say=said.append)
    assert said == [], "everything ended by itself"
    # Orphans of a process that ended by itself (Erlang's helper) follow it, in their own time.
    until(lambda: all(processes.is_dead(processes.stat_of(pid)) for pid in families), 20, "everything to be gone")
    assert not list((cluster.settings.data / "pids").iterdir())

    again = Cluster.load(cluster.settings.data)
    again.start(*SERVERS)
    assert again.settings.choices == ports
    assert again.components["postgres"].sql("SELECT it FROM kept", *owner).strip() == "42"
    with amqp(again) as app:
        assert app.get(QUEUE) == b"kept"


def test_a_start_that_fails_says_why_and_shows_the_log(cluster):
    server = cluster.components["redis-1"]
    cluster.stop("redis-1")
    original = server.prepare
    server.prepare = lambda: (original(), (server.home / "redis.conf").open("a").write("no-such-setting 1\n"))
    try:
        with pytest.raises(StartFailed) as failed:
            cluster.start("redis-1")
    finally:
        server.prepare = original
    failure = failed.value.failures[0]
    assert failure.component == "redis-1" and "ended" in str(failure)
    assert "no-such-setting" in "\n".join(failure.log_tail)
    cluster.start("redis-1")
