"""Our own processes: the API replicas, the workers, and `armazem migrate`, which creates tables and queues."""
import http.client
import os
import subprocess
from pathlib import Path

from cluster import rabbitmq, redis
from cluster.component import Component, Tier, base_environment
from cluster.ports import LOOPBACK
from cluster.settings import ROOT, write_private

MIGRATE_SECONDS = 120


def binary():
    path = Path(os.environ.get("ARMAZEM_BIN", ROOT / "build/release/bin/armazem")).absolute()
    if not path.exists():
        raise FileNotFoundError(f"{path} is not there: ./start.sh --cluster builds it")
    return str(path)


def write_config(path, **settings):
    """TOML as `armazem --config` reads it. Mode 0600: it holds passwords."""
    write_private(path, "".join(f'{name.replace("_", "-")} = "{value}"\n' for name, value in settings.items()))


class Process(Component):
    """`armazem serve` or `armazem worker`: each with a port that tells its health."""

    # More than the time that requests in flight are given (--grace 10 s, --store-timeout 10 s).
    stop_seconds = 30

    def __init__(self, settings, kind, number, sql):
        super().__init__(settings, f"{kind}-{number}")
        self.verb = {"api": "serve", "worker": "worker"}[kind]
        self.port = settings.ports.of(kind, number)
        self.sql = sql

    def listens(self):
        return {self.port: self.name}

    def prepare(self):
        ports = self.settings.ports
        write_config(
            self.home / "armazem.toml",
            store=self.sql.url(through=ports.of("haproxy-sql")),
            cache=redis.url(self.settings),
            queue=rabbitmq.url(self.settings, through=ports.of("haproxy-amqp")),
            listen=LOOPBACK, port=self.port, threads=self.threads(),
        )

    def threads(self):
        """A fair share of the cores: all of them are on one machine, and each would take one loop per core."""
        choices = self.settings.choices
        count = {"serve": choices.apis, "worker": choices.workers}[self.verb]
        return max(1, len(os.sched_getaffinity(0)) // count)

    def command(self):
        return [binary(), self.verb, "--config", str(self.home / "armazem.toml")]

    def problem(self):
        connection = http.client.HTTPConnection(LOOPBACK, self.port, timeout=5)
        try:
            connection.request("GET", "/health/ready")
            response = connection.getresponse()
            text = response.read(2000).decode("utf-8", "replace").strip()
            return None if response.status == 200 else f"/health/ready: {response.status} {text}"
        except (OSError, http.client.HTTPException) as error:
            return f"port {self.port}: {error}"
        finally:
            connection.close()


class ArmazemTier(Tier):
    """All API processes, or all workers."""

    def __init__(self, settings, kind, count, sql):
        self.name = kind
        super().__init__(settings, [Process(settings, kind, number, sql) for number in range(1, count + 1)])


class Migrate:
    """`armazem migrate`: once at each start, before anybody serves; it changes nothing that is there. The only one that
    may declare queues. It goes straight to the servers, so that HAProxy's checks need not have come round yet."""

    name = "migrate"

    def __init__(self, settings, sql):
        self.settings = settings
        self.sql = sql
        self.log = settings.data / "logs" / "migrate.log"

    def run(self):
        config = self.settings.directory("migrate") / "armazem.toml"
        write_config(config, store=self.sql.url(), queue=rabbitmq.url(self.settings, "armazem-admin"))
        with open(self.log, "ab") as log:
            try:
                done = subprocess.run([binary(), "migrate", "--config", str(config)], timeout=MIGRATE_SECONDS,
                                      stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, env=base_environment())
            except subprocess.TimeoutExpired:
                raise RuntimeError(f"armazem migrate did not end within {MIGRATE_SECONDS} s: see {self.log}") from None
        if done.returncode:
            tail = "\n".join(self.log.read_text(errors="replace").splitlines()[-10:])
            raise RuntimeError(f"armazem migrate failed with exit code {done.returncode}:\n{tail}")
