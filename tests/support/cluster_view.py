"""What tests ask of a running cluster: where its parts are, how far it has converged, and to be healed."""
import json
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

from cluster.armazem import binary
from cluster.component import base_environment
from support.client import Client
from support.metrics import fetch_metrics
from support.wait import until

LOOPBACK = "127.0.0.1"
HEAL_SECONDS = 60


class ClusterView:
    def __init__(self, cluster):
        self.cluster = cluster

    # Where things are.

    def front(self):
        return LOOPBACK, self.cluster.settings.ports.of("nginx")

    def api(self, number):
        return LOOPBACK, self.cluster.settings.ports.of("api", number)

    def worker(self, number):
        return LOOPBACK, self.cluster.settings.ports.of("worker", number)

    def parts(self, tier):
        return [part.name for part in self.cluster.select([tier])]

    # Breaking and healing.

    def away(self, names, how):
        """Stopped as by kill -9, or paused."""
        with ThreadPoolExecutor(len(names)) as pool:
            list(pool.map({"stopped": self.cluster.kill, "paused": self.cluster.pause}[how], names))

    def back(self, names):
        for name in names:
            if self.cluster.components[name].running() and self.cluster.components[name].daemon.paused():
                self.cluster.resume(name)
        self.heal()

    def heal(self):
        """Everything runs, and every part says that it is well."""
        parts = self.cluster.components.values()
        for part in parts:
            if part.running() and part.daemon.paused():
                part.daemon.resume()
        # As an operator does it: starts what is missing, restarts a broker that was silent so long that the others went on
        # without it, and waits until each part is well.
        self.cluster.start()
        until(lambda: not self.complaints(), HEAL_SECONDS, "every part of the cluster to be well", every=0.2)

    def complaints(self):
        with ThreadPoolExecutor(8) as pool:
            health = list(pool.map(lambda part: (part.name, part.health()[1]), self.cluster.components.values()))
        return [f"{name}: {problem}" for name, problem in health if problem]

    # Looking.

    def queue_leader(self):
        """The node that leads the write queue: its loss costs most."""
        part = self.cluster.components["rabbitmq-1"]
        leader = part.api("GET", "/queues/armazem/store-events.0")["leader"]
        return next(name for name in self.parts("rabbitmq")
                    if name != "epmd" and self.cluster.components[name].node == leader)

    def redis_primary(self):
        """One that is a primary at the moment: failovers move the roles."""
        return next(name for name in self.parts("redis")
                    if self.cluster.components[name].call("ROLE")[0] in (b"master", "master"))

    def queue_depth(self):
        """Messages in the write queues, ready or not acknowledged, as the broker counts them every few seconds; None when
        no node can say."""
        for part in self.cluster.select(["rabbitmq"]):
            if not hasattr(part, "api") or not part.running() or part.daemon.paused():
                continue
            try:
                queues = part.api("GET", "/queues/armazem?columns=name,messages")
            except OSError:
                continue
            return sum(queue.get("messages", 0) for queue in queues
                       if queue["name"].startswith("store-events.") and queue["name"] != "store-events.dead")
        return None

    def wait_until_drained(self, seconds=120):
        until(lambda: self.queue_depth() == 0, seconds, "the queue to be empty", every=0.25)

    def delay_histogram(self):
        """{upper bound in seconds: cumulative count} of stamp to applied, over all workers."""
        total = {}
        for number in range(1, self.cluster.settings.choices.workers + 1):
            for (name, labels), count in fetch_metrics(self.worker(number)).samples.items():
                if name == "armazem_worker_delay_seconds_bucket":
                    bound = float(dict(labels)["le"])
                    total[bound] = total.get(bound, 0) + count
        return dict(sorted(total.items()))

    def migrate_config(self):
        return str(self.cluster.settings.data / "migrate" / "armazem.toml")

    def command(self, *arguments, seconds=60):
        """Runs `armazem …` with the administrator's configuration: (exit code, output)."""
        done = subprocess.run([binary(), *arguments, "--config", self.migrate_config()], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=base_environment(), timeout=seconds, text=True)
        return done.returncode, done.stdout

    def dead_letters(self):
        code, text = self.command("deadletters", "list", "--json")
        assert code == 0, text
        return [json.loads(line) for line in text.splitlines()]


def reader(address, strong):
    """read(key) -> the stored number, None when absent; strong from the store, else as the cache has it."""
    client = Client(address)
    headers = {"Cache-Control": "no-cache"} if strong else {}

    def read(key):
        response = client.get(key, headers, "?raw")
        assert response.status in (200, 404), repr(response)
        return int(response.body) if response.status == 200 else None
    return read


def converged(load, address, seconds=90):
    """Every key holds what it must in the store, and the cache agrees; returns the seconds that took."""
    begun = time.monotonic()
    strong, cached = reader(address, True), reader(address, False)
    until(lambda: not load.wrong_keys(strong), seconds, "every acknowledged write to be in the store", every=0.25)

    def cache_differs():
        return [key for key in load.histories if cached(key) != strong(key)]
    until(lambda: not cache_differs(), seconds, "cache and store to agree on every key", every=0.25)
    return time.monotonic() - begun
