"""Which port belongs to whom. All derive from one base, so that a cluster's whole plan is one number."""
import random
import socket
from pathlib import Path

LOOPBACK = "127.0.0.1"
DEFAULT_BASE = 26000
DEFAULT_NGINX = 8000
NODES_MAX = 30
SPAN = 1000

# Offsets from the base. Numbered components add their number, so redis-1 is base + 101.
OFFSETS = {
    "nginx": 0,  # only where free ports are picked; else it has a port of its own
    "api": 10,
    "worker": 50,
    "redis": 100,
    "redis-bus": 200,
    "epmd": 369,
    "haproxy-sql": 400,
    "postgres": 432,
    "cockroach": 440,
    "cockroach-http": 450,
    "haproxy-stats": 499,
    "haproxy-amqp": 600,
    "rabbitmq": 670,
    "rabbitmq-distribution": 770,
    "rabbitmq-management": 870,
}


class PortTaken(RuntimeError):
    """Somebody else listens where a component should; the text says who."""


def ephemeral_low():
    """From here on the kernel hands out ports to outgoing connections: a server's port must lie below, or any client
    can sit on it while the server restarts."""
    try:
        return int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    except (OSError, ValueError):
        return 32768


class Ports:
    def __init__(self, base, nginx=None):
        self.base = base
        self.nginx = nginx if nginx is not None else base

    def of(self, what, number=0):
        if what == "nginx":
            return self.nginx
        return self.base + OFFSETS[what] + number

    def all(self, apis=3, workers=3):
        """Every port that a cluster of this size can use."""
        counts = {"api": apis, "worker": workers, "redis": 6, "redis-bus": 6, "cockroach": 3, "cockroach-http": 3,
                  "rabbitmq": 3, "rabbitmq-distribution": 3, "rabbitmq-management": 3}
        for what in OFFSETS:
            numbers = range(1, counts[what] + 1) if what in counts else [0]
            for number in numbers:
                yield self.of(what, number)


def is_free(port, address=LOOPBACK):
    with socket.socket() as probe:
        # What servers do themselves; a port in TIME_WAIT is free for them.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError:
            return False
    return True


def pick_base(apis=3, workers=3):
    """A base whose whole plan is free now. Random, so that two test runs side by side rarely try the same."""
    limit = min(ephemeral_low(), 32768) - SPAN
    for _ in range(200):
        base = random.SystemRandom().randrange(10000, limit)
        if all(is_free(port) for port in Ports(base).all(apis, workers)):
            return base
    raise PortTaken("no base with free ports found between 10000 and the ephemeral range")


def who_listens(port):
    """The program that listens on a port, as far as this user may see it."""
    inodes = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            lines = Path(table).read_text().splitlines()[1:]
        except OSError:
            continue
        for fields in (line.split() for line in lines):
            if fields[3] == "0A" and int(fields[1].rsplit(":", 1)[1], 16) == port:
                inodes.add(f"socket:[{fields[9]}]")
    for process in Path("/proc").iterdir():
        if process.name.isdigit() and _holds(process, inodes):
            return f"{(process / 'comm').read_text().strip()} (pid {process.name})"
    return "another program"


def _holds(process, inodes):
    try:
        return any(str(link.readlink()) in inodes for link in (process / "fd").iterdir())
    except OSError:
        return False


def require_free(ports, address=LOOPBACK):
    """ports: {port: what it is for}. All that are taken are named at once."""
    taken = [f"port {port}, needed for {what}, is taken by {who_listens(port)}"
             for port, what in ports.items() if not is_free(port, address)]
    if taken:
        raise PortTaken("\n  ".join(taken))
