"""Redis Cluster: three primaries and a replica for each, a cache without persistence."""
import hashlib

from cluster import resp, templates
from cluster.component import Component, Tier, program
from cluster.ports import LOOPBACK
from cluster.waiting import until

NODES = 6
PRIMARIES = 3
SLOTS = 16384
# Three ranges of the same size; redis-1..3 hold them, redis-4..6 are their replicas, until a failover changes that.
RANGES = [(0, 5460), (5461, 10922), (10923, SLOTS - 1)]


def sha256(text):
    """ACL files take a hash, so that no password stands in a configuration."""
    return hashlib.sha256(text.encode()).hexdigest()


class Redis(Component):
    user = "redis"

    def __init__(self, settings, number):
        super().__init__(settings, f"redis-{number}")
        self.port = settings.ports.of("redis", number)
        self.bus_port = settings.ports.of("redis-bus", number)

    def listens(self):
        return {self.port: self.name, self.bus_port: f"{self.name} (cluster bus)"}

    def prepare(self):
        secret = self.settings.secret
        templates.render(
            "redis/redis.conf.in", self.home / "redis.conf", LISTEN=LOOPBACK, ANNOUNCE=LOOPBACK,
            PORT=self.port, BUS_PORT=self.bus_port, DIRECTORY=self.home, MAXMEMORY="256mb",
            APP_SHA256=sha256(secret("redis-armazem")), OPERATOR_SHA256=sha256(secret("redis-operator")),
            REPLICATION_SHA256=sha256(secret("redis-replication")), REPLICATION_PASSWORD=secret("redis-replication"),
        )

    def command(self):
        return [program("redis-server", package="redis-server"), str(self.home / "redis.conf")]

    def connect(self, seconds=2):
        return resp.Connection(LOOPBACK, self.port, "operator", self.settings.secret("redis-operator"), seconds)

    def call(self, *command):
        """One command as the operator."""
        with self.connect() as connection:
            return connection.call(*command)

    def fields(self, *command):
        return dict(line.split(":", 1) for line in self.call(*command).splitlines() if ":" in line)

    def answers(self):
        try:
            return None if self.call("PING") == "PONG" else "no PONG"
        except (OSError, resp.Refused) as error:
            return f"port {self.port}: {error}"

    def problem(self):
        try:
            state = self.fields("CLUSTER", "INFO")
            if state["cluster_state"] != "ok":
                return f"cluster_state is {state['cluster_state']}"
            if state["cluster_slots_ok"] != str(SLOTS):
                return f"only {state['cluster_slots_ok']} of {SLOTS} slots have a primary"
            replication = self.fields("INFO", "replication")
            if replication["role"] == "slave" and replication["master_link_status"] != "up":
                return "the link to its primary is down"
        except (OSError, resp.Refused) as error:
            return f"port {self.port}: {error}"
        return None


class RedisTier(Tier):
    name = "redis"

    def __init__(self, settings):
        super().__init__(settings, [Redis(settings, number) for number in range(1, NODES + 1)])

    def before(self, stopped):
        """Nothing is kept on disk, so when no node runs there is no cluster to go back to: forming a new one is quicker
        than waiting for old views to agree, and gives the same roles every time."""
        if len(stopped) == NODES:
            for node in stopped:
                (node.home / "nodes.conf").unlink(missing_ok=True)

    def form(self):
        """By hand instead of `redis-cli --cluster create`: fixed roles, a second instead of several. Goes on from wherever
        an earlier start was cut short."""
        nodes = self.components
        if any(node.answers() for node in nodes):
            return  # only some of the nodes were started, so the cluster exists
        if not any(node.fields("CLUSTER", "INFO")["cluster_slots_assigned"] == str(SLOTS) for node in nodes):
            self._join(nodes)
        self._give_replicas(nodes)

    def _join(self, nodes):
        for epoch, node in enumerate(nodes, 1):
            node.call("CLUSTER", "RESET", "HARD")  # what a start that was cut short left behind; no node has keys yet
            # Different epochs from the beginning: equal ones would have to be resolved by a collision rule first.
            node.call("CLUSTER", "SET-CONFIG-EPOCH", epoch)
        for node, (first, last) in zip(nodes, RANGES):
            node.call("CLUSTER", "ADDSLOTSRANGE", first, last)
        for node in nodes[1:]:
            nodes[0].call("CLUSTER", "MEET", LOOPBACK, node.port, node.bus_port)
        until(lambda: all(self._knows_all(node) for node in nodes), 30, "Redis nodes to know each other")

    def _give_replicas(self, nodes):
        """Each primary that has none gets one of the nodes that have nothing to do."""
        seen = [line.split() for line in nodes[0].call("CLUSTER", "NODES").splitlines()]
        primaries = [fields[0] for fields in sorted(seen, key=lambda fields: fields[1]) if len(fields) > 8]
        followed = {fields[3] for fields in seen}
        idle = {fields[0] for fields in seen if "master" in fields[2] and len(fields) == 8}
        spare = [node for node in nodes if node.call("CLUSTER", "MYID") in idle]
        for replica, primary in zip(spare, [each for each in primaries if each not in followed]):
            until(lambda: self._replicates(replica, primary), 20, f"{replica.name} to become a replica")

    @staticmethod
    def _knows_all(node):
        lines = node.call("CLUSTER", "NODES").splitlines()
        return len(lines) == NODES and all("handshake" not in line and " connected" in line for line in lines)

    @staticmethod
    def _replicates(replica, identity):
        """Refused as long as the replica hasn't heard that the other one is a primary."""
        try:
            return replica.call("CLUSTER", "REPLICATE", identity) == "OK"
        except resp.Refused:
            return False


def url(settings, user="armazem"):
    """All six: whoever connects must get in whichever of them is down."""
    hosts = ",".join(f"{LOOPBACK}:{settings.ports.of('redis', number)}" for number in range(1, NODES + 1))
    return f"redis://{user}:{settings.secret('redis-' + user)}@{hosts}"
