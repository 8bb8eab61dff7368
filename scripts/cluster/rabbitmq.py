"""RabbitMQ: three nodes for quorum queues, and their Erlang port mapper (epmd)."""
import base64
import hashlib
import http.client
import json
import os
import socket
from pathlib import Path

from cluster import templates
from cluster.component import Component, Tier, program
from cluster.ports import LOOPBACK
from cluster.settings import write_private
from cluster.waiting import TimedOut, until

NODES = 3
VHOST = "armazem"
# Longer than nodes need to see each other after a start or a short pause (measured: 6 s).
HEAL_SECONDS = 20


def schedulers():
    """The nodes share the machine, and each would run a scheduler thread per core: on two cores six of them, waking each
    other for every message, cost a quarter of the applied writes."""
    return max(1, len(os.sched_getaffinity(0)) // NODES)


def programs():
    """Debian's wrappers in /usr/sbin change to the system's rabbitmq user and home; the programs behind them don't."""
    places = [Path("/usr/lib/rabbitmq/bin"), *sorted(Path("/usr/lib/rabbitmq/lib").glob("rabbitmq_server-*/sbin")),
              *sorted(Path("/opt").glob("rabbitmq*/sbin"))]
    found = next((place for place in places if (place / "rabbitmq-server").exists()), None)
    if found is None:
        raise FileNotFoundError("rabbitmq-server is not installed (Debian package rabbitmq-server)")
    return found


def password_hash(password):
    """As definitions files want it: base64(salt + SHA-256(salt + password)). The salt is derived, so that the file
    stays the same from start to start; the passwords are random, which is what a salt is for."""
    salt = hashlib.sha256(b"salt" + password.encode()).digest()[:4]
    return base64.b64encode(salt + hashlib.sha256(salt + password.encode()).digest()).decode()


def erlang_home(settings):
    """Where the cookie lies that all nodes share. Who has it may run anything in them."""
    home = settings.directory("rabbitmq")
    cookie = home / ".erlang.cookie"
    if not cookie.exists():
        write_private(cookie, settings.secret("erlang-cookie"))
        cookie.chmod(0o400)
    return home


def erlang_environment(settings):
    return {"HOME": str(erlang_home(settings)), "ERL_EPMD_PORT": str(settings.ports.of("epmd")),
            "ERL_EPMD_ADDRESS": LOOPBACK}


class Epmd(Component):
    """Tells Erlang nodes each other's ports. One of our own: a shared one would tie us to what else runs here."""

    user = "rabbitmq"
    stop_seconds = 5

    def __init__(self, settings):
        super().__init__(settings, "epmd")
        self.port = settings.ports.of("epmd")

    def listens(self):
        return {self.port: self.name}

    def command(self):
        return [program("epmd", package="erlang-base"), "-port", str(self.port)]

    def environment(self):
        return erlang_environment(self.settings)

    def prepare(self):
        self.give(erlang_home(self.settings))

    def problem(self):
        try:
            socket.create_connection((LOOPBACK, self.port), timeout=2).close()
        except OSError as error:
            return f"port {self.port}: {error}"
        return None


class RabbitMQ(Component):
    user = "rabbitmq"
    # A node may wait for its peers' tables for a while, and the Erlang VM is slow to load on a busy machine.
    start_seconds = 180
    stop_seconds = 60
    # Killed and started together, a node may give up on its peers' tables before they are up again (seen once in 30).
    relaunches = 2

    def __init__(self, settings, number, tier):
        super().__init__(settings, f"rabbitmq-{number}")
        self.tier = tier
        self.port = settings.ports.of("rabbitmq", number)
        self.management = settings.ports.of("rabbitmq-management", number)
        self.distribution = settings.ports.of("rabbitmq-distribution", number)
        self.node = f"armazem{number}@localhost"
        self.database = self.home / "db"

    def listens(self):
        return {self.port: f"{self.name} (AMQP)", self.management: f"{self.name} (management)",
                self.distribution: f"{self.name} (Erlang distribution)"}

    def prepare(self):
        self.give(erlang_home(self.settings))
        for name in ("db", "log", "generated"):
            (self.home / name).mkdir(mode=0o700, exist_ok=True)
        peers = [1, self.number] if self.number > 1 else []
        templates.render(
            "rabbitmq/rabbitmq.conf.in", self.home / "rabbitmq.conf", LISTEN=LOOPBACK, PORT=self.port,
            MANAGEMENT_PORT=self.management, DEFINITIONS=self.home / "definitions.json", MEMORY_LIMIT="1GB",
            PEERS="\n".join(f"cluster_formation.classic_config.nodes.{at} = armazem{peer}@localhost"
                            for at, peer in enumerate(peers, 1)),
        )
        templates.render("rabbitmq/advanced.config.in", self.home / "advanced.config")
        templates.render("rabbitmq/enabled_plugins.in", self.home / "enabled_plugins")
        templates.render(
            "rabbitmq/definitions.json.in", self.home / "definitions.json",
            **{f"{user}_HASH": password_hash(self.settings.secret(f"rabbitmq-{user.lower()}"))
               for user in ("OPERATOR", "ADMIN", "ARMAZEM")},
        )

    def command(self):
        return [str(programs() / "rabbitmq-server")]

    def environment(self):
        """Everything by environment, nothing from /etc/rabbitmq. Also right for rabbitmqctl and its kin."""
        return {
            **erlang_environment(self.settings),
            "RUNNING_UNDER_SYSTEMD": "1",  # the start script execs the Erlang VM, so that its pid is the daemon's
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "RABBITMQ_NODENAME": self.node,
            "RABBITMQ_CONFIG_FILE": str(self.home / "rabbitmq.conf"),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(self.home / "advanced.config"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.home / "enabled_plugins"),
            "RABBITMQ_MNESIA_BASE": str(self.database),
            "RABBITMQ_LOG_BASE": str(self.home / "log"),
            "RABBITMQ_GENERATED_CONFIG_DIR": str(self.home / "generated"),
            "RABBITMQ_PID_FILE": str(self.home / "server.pid"),
            "RABBITMQ_DIST_PORT": str(self.distribution),
            "ERL_CRASH_DUMP": str(self.home / "erl_crash.dump"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": f"-kernel inet_dist_use_interface {{127,0,0,1}} -start_epmd false +S {schedulers()}:{schedulers()}",
        }

    def api(self, method, path, body=None, seconds=5):
        """The management API as the operator; the parsed answer, or None for an empty one."""
        token = base64.b64encode(f"operator:{self.settings.secret('rabbitmq-operator')}".encode()).decode()
        connection = http.client.HTTPConnection(LOOPBACK, self.management, timeout=seconds)
        try:
            connection.request(method, "/api" + path, json.dumps(body) if body is not None else None,
                               {"Authorization": f"Basic {token}", "Content-Type": "application/json"})
            response = connection.getresponse()
            text = response.read()
            if response.status >= 300:
                raise OSError(f"management API: {response.status} {text[:200].decode('utf-8', 'replace')}")
            return json.loads(text) if text else None
        finally:
            connection.close()

    def answers(self):
        """The broker itself: it answers a protocol header with Connection.Start."""
        try:
            with socket.create_connection((LOOPBACK, self.port), timeout=3) as connection:
                connection.sendall(b"AMQP\x00\x00\x09\x01")
                return None if connection.recv(3) == b"\x01\x00\x00" else "no AMQP answer"
        except OSError as error:
            return f"port {self.port}: {error}"

    def problem(self):
        """It runs and it sees every other node that we run: a node on the wrong side of a partition does not."""
        complaint = self.answers()
        if complaint:
            return complaint
        try:
            seen = self.sees()
        except (OSError, ValueError, http.client.HTTPException) as error:
            return f"management API on port {self.management}: {error}"
        missing = [peer.name for peer in self.tier.nodes if peer.node not in seen and peer.takes_part()]
        return f"does not see {', '.join(missing)} running" if missing else None

    def sees(self):
        """Names of the nodes that run, in its view; itself included."""
        return {node["name"] for node in self.api("GET", "/nodes?columns=name,running") if node["running"]}

    def takes_part(self):
        return self.running() and not self.daemon.paused()


class RabbitMQTier(Tier):
    name = "rabbitmq"

    def __init__(self, settings):
        self.nodes = [RabbitMQ(settings, number, self) for number in range(1, NODES + 1)]
        self.epmd = Epmd(settings)
        super().__init__(settings, [self.epmd, *self.nodes])

    def batches(self, stopped):
        """The first start: one node, then those that join it. Afterwards all at once, because a node that was not the
        last to stop waits for those that were."""
        nodes = [component for component in stopped if component is not self.epmd]
        first_start = self.nodes[0] in nodes and not any(node.database.exists() for node in self.nodes)
        batches = [nodes[:1], nodes[1:]] if first_start else [nodes]
        return [batch for batch in [[self.epmd] if self.epmd in stopped else [], *batches] if batch]

    def form(self):
        """Nodes find each other by themselves, but for one case: a node that was silent for long (paused, or a machine
        that slept) takes the others for lost and does not come back, not within minutes. A restart brings it back; the
        others have the majority, and with it every confirmed message."""
        nodes = [node for node in self.nodes if node.takes_part()]
        try:
            until(lambda: not any(node.problem() for node in nodes), HEAL_SECONDS, "RabbitMQ's nodes to see each other")
        except TimedOut:
            outsiders = [node for node in nodes if node.answers() is None and len(node.sees()) <= NODES // 2]
            for node in outsiders:
                node.stop(say=lambda text: None)
            for node in outsiders:
                node.launch()
            for node in outsiders:
                node.wait(node.answers)


def url(settings, user="armazem", through=None):
    """Through HAProxy's port when one is given, else directly to all three nodes."""
    ports = [through] if through else [settings.ports.of("rabbitmq", number) for number in range(1, NODES + 1)]
    secret = settings.secret("rabbitmq-" + ("admin" if user == "armazem-admin" else user))
    return f"amqp://{user}:{secret}@{','.join(f'{LOOPBACK}:{port}' for port in ports)}/{VHOST}"
