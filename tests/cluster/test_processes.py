"""The API and worker processes with a stand-in for the binary: configuration, order, health, failure, size."""
import os
import stat
import tomllib

import pytest

from cluster import Cluster, StartFailed
from support.client import Client

# Says what it was started with, and is ready; 'migrate' fails while a file of that name lies beside it.
STAND_IN = """#!/usr/bin/python3
import http.server, pathlib, sys, tomllib
verb, option, config = sys.argv[1:]
assert option == "--config"
settings = tomllib.loads(pathlib.Path(config).read_text())
here = pathlib.Path(__file__).parent
with open(here / "calls", "a") as calls:
    print(verb, file=calls)
if verb == "migrate":
    print("the migration speaks")
    sys.exit((here / "fail").exists())
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        text = f"{verb} {settings['port']}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)
http.server.ThreadingHTTPServer((settings["listen"], int(settings["port"])), Handler).serve_forever()
"""


@pytest.fixture
def cluster(scratch, monkeypatch):
    binary = scratch / "armazem"
    binary.write_text(STAND_IN)
    binary.chmod(binary.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("ARMAZEM_BIN", str(binary))
    made = Cluster.make(scratch / "data", free_ports=True, apis=2, workers=1, sql="postgres")
    made.binary = binary
    yield made
    made.stop(say=lambda text: None)


def calls(cluster):
    return (cluster.binary.parent / "calls").read_text().split()


def test_migrate_then_processes_then_the_edge(cluster):
    told = []
    cluster.start("api", "worker", "nginx", notify=lambda name, state, detail="": told.append((name, state)))
    assert calls(cluster)[0] == "migrate" and sorted(calls(cluster)[1:]) == ["serve", "serve", "worker"]
    assert told.index(("migrate", "ready")) < told.index(("api-1", "starting"))
    assert told.index(("api-2", "ready")) < told.index(("nginx", "starting"))
    client = Client(("127.0.0.1", cluster.settings.ports.of("nginx")))
    seen = {client.request("GET", "/store/k").body.decode() for _ in range(20)}
    client.close()
    assert seen == {f"serve {cluster.settings.ports.of('api', number)}" for number in (1, 2)}


def test_what_the_processes_are_told(cluster):
    cluster.start("api-1")
    ports, secret = cluster.settings.ports, cluster.settings.secret
    path = cluster.settings.data / "api-1" / "armazem.toml"
    assert path.stat().st_mode & 0o777 == 0o600
    redis = ",".join(f"127.0.0.1:{ports.of('redis', number)}" for number in range(1, 7))
    assert tomllib.loads(path.read_text()) == {
        "store": f"postgres://armazem:{secret('postgres-armazem')}@127.0.0.1:{ports.of('haproxy-sql')}/armazem",
        "cache": f"redis://armazem:{secret('redis-armazem')}@{redis}",
        "queue": f"amqp://armazem:{secret('rabbitmq-armazem')}@127.0.0.1:{ports.of('haproxy-amqp')}/armazem",
        "listen": "127.0.0.1", "port": str(ports.of("api", 1)),
        "threads": str(max(1, len(os.sched_getaffinity(0)) // cluster.settings.choices.apis)),
    }
    migrate = tomllib.loads((cluster.settings.data / "migrate" / "armazem.toml").read_text())
    rabbitmq = ",".join(f"127.0.0.1:{ports.of('rabbitmq', number)}" for number in range(1, 4))
    assert migrate["queue"] == f"amqp://armazem-admin:{secret('rabbitmq-admin')}@{rabbitmq}/armazem"


def test_a_failed_migration_stops_the_start_and_is_quoted(cluster):
    (cluster.binary.parent / "fail").touch()
    with pytest.raises(StartFailed, match="exit code 1:\nthe migration speaks"):
        cluster.start("api", "worker", "nginx")
    assert calls(cluster) == ["migrate"] and not cluster.is_running("api-1")


def test_a_killed_api_comes_back_alone(cluster):
    cluster.start("api", "nginx")
    other, edge = (cluster.components[name].daemon.running() for name in ("api-2", "nginx"))
    cluster.kill("api-1")
    assert not cluster.is_running("api-1") and cluster.problem("api-1") == "not running"
    assert cluster.problem("nginx") is None, "reads go on"
    cluster.start("api", "nginx")
    assert cluster.problem("api-1") is None
    assert (cluster.components["api-2"].daemon.running(), cluster.components["nginx"].daemon.running()) == (other, edge)


def test_another_size_is_refused_while_it_runs(cluster):
    cluster.start("api-1")
    larger = Cluster.make(cluster.settings.data, apis=3)
    with pytest.raises(ValueError, match="stop it first"):
        larger.start("api")
    cluster.stop()
    larger.start("api")
    assert larger.is_running("api-3")
    larger.stop()


def test_what_never_gets_ready_fails_in_time(cluster):
    cluster.binary.write_text("#!/bin/sh\necho no luck\n[ $1 = migrate ] || exit 3\n")
    with pytest.raises(StartFailed) as failed:
        cluster.start("api-1")
    assert "the process ended" in str(failed.value) and failed.value.failures[0].log_tail == ["no luck"]
