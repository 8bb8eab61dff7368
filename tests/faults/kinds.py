"""What is broken, how, and how it is healed: one generator per kind of fault.

A kind is a function of (campaign, random) that breaks something, yields what exactly it broke, and heals it when it is
resumed. The campaign waits in between. `quick` kinds take seconds and are what a short run is sure to include.
"""
import contextlib
import json
import os
import resource
import subprocess
import time
from pathlib import Path

from cluster import rabbitmq
from cluster.component import base_environment

KINDS = {}


def kind(name, quick=True, needs=None):
    """Registers a kind; `needs(campaign)` says why it is not possible here, or None."""
    def add(function):
        KINDS[name] = Kind(name, contextlib.contextmanager(function), quick, needs)
        return function
    return add


class Kind:
    def __init__(self, name, broken, quick, needs):
        self.name, self.broken, self.quick, self.needs = name, broken, quick, needs


# Processes: each group, in three ways.

def one_of(tier):
    return lambda campaign, random: random.choice([name for name in campaign.view.parts(tier) if name != "epmd"])


def rabbitmq_node(campaign, random):
    """The leader of the write queue half of the time: its loss costs most."""
    return campaign.view.queue_leader() if random.random() < 0.5 else one_of("rabbitmq")(campaign, random)


def redis_of_role(role):
    def choose(campaign, random):
        names = campaign.view.parts("redis")
        found = [name for name in names if campaign.cluster.components[name].call("ROLE")[0] in (role, role.encode())]
        return random.choice(found or names)
    return choose


GROUPS = {
    "API": one_of("api"), "worker": one_of("worker"), "RabbitMQ node": rabbitmq_node,
    "Redis primary": redis_of_role("master"), "Redis replica": redis_of_role("slave"),
    "PostgreSQL": one_of("sql"), "HAProxy": one_of("haproxy"), "NGINX": one_of("nginx"),
}


def pause_seconds(random):
    """Mostly short: long ones show what time-outs do, and cost a campaign its time."""
    share = random.random()
    if share < 0.75:
        return random.uniform(1, 5)
    return random.uniform(5, 15) if share < 0.96 else random.uniform(15, 60)


def add_process_kinds(group, choose):
    @kind(f"kill -9: {group}", quick=group != "RabbitMQ node")
    def killed(campaign, random):
        name = choose(campaign, random)
        campaign.cluster.kill(name)
        yield name, random.uniform(0.2, 3)
        campaign.cluster.start(name)

    @kind(f"pause: {group}", quick=group != "RabbitMQ node")
    def paused(campaign, random):
        name = choose(campaign, random)
        seconds = random.uniform(1, 3) if campaign.short else pause_seconds(random)
        campaign.cluster.pause(name)
        yield f"{name} {seconds:.1f} s", seconds
        campaign.cluster.resume(name)

    @kind(f"restart: {group}", quick=group != "RabbitMQ node")
    def restarted(campaign, random):
        name = choose(campaign, random)
        campaign.cluster.stop(name, say=lambda text: None)
        yield name, random.uniform(0, 1)
        campaign.cluster.start(name)


for each in GROUPS.items():
    add_process_kinds(*each)


def add_whole_tier_kind(name, tier, quick):
    @kind(f"kill -9: all {name}", quick=quick)
    def killed(campaign, random):
        names = [part for part in campaign.view.parts(tier) if part != "epmd"]
        campaign.view.away(names, "stopped")
        yield ", ".join(names), random.uniform(0.5, 3)
        campaign.cluster.start(tier)


add_whole_tier_kind("workers", "worker", True)
add_whole_tier_kind("Redis nodes", "redis", False)
add_whole_tier_kind("RabbitMQ nodes", "rabbitmq", False)


# The network, by the proxies.

DEPENDENCIES = {"sql": "SQL", "amqp": "AMQP", "redis": "Redis"}


def target_of(dependency, campaign, random):
    return random.choice(campaign.proxies.redis) if dependency == "redis" else dependency


def add_proxy_kind(name, dependency, begin, end, seconds=(1, 3)):
    @kind(f"{DEPENDENCIES[dependency]}: {name}")
    def broken(campaign, random):
        target = target_of(dependency, campaign, random)
        campaign.proxies.command(target, *begin(random))
        yield target, random.uniform(*seconds)
        if end:
            campaign.proxies.command(target, *end)


def add_repeated_proxy_kind(name, dependency, again):
    """A fault that is used up at once, armed again every 100 ms for a while."""
    @kind(f"{DEPENDENCIES[dependency]}: {name}")
    def broken(campaign, random):
        target = target_of(dependency, campaign, random)
        before = campaign.proxies.command(target, "count")
        end = time.monotonic() + random.uniform(1, 2.5)
        while time.monotonic() < end:
            campaign.proxies.command(target, *again(random))
            campaign.pause(0.1)
        yield f"{target}: {campaign.proxies.command(target, 'calm') - before} times", 0


for dependency in DEPENDENCIES:
    add_proxy_kind("connections refused", dependency, lambda random: ["refuse", "on"], ["refuse", "off"])
    add_proxy_kind("delay 50 to 400 ms", dependency, lambda random: ["delay", random.randrange(50, 400)], ["delay", 0])
    add_proxy_kind("nothing goes through", dependency, lambda random: ["blackhole", "on"], ["blackhole", "off"], (1, 6))
    add_proxy_kind("answers held back", dependency, lambda random: ["hold-answers", "on"], ["hold-answers", "off"], (1, 6))
    add_proxy_kind("half-open connections", dependency, lambda random: ["strand"], None)
    add_repeated_proxy_kind("cut within an answer", dependency, lambda random: ["cut-replies", random.randrange(0, 600)])
    add_repeated_proxy_kind("cut within a request", dependency, lambda random: ["cut-requests", random.randrange(0, 600)])

add_repeated_proxy_kind("a garbled answer", "sql", lambda random: ["garble", random.randrange(8)])

for code, fatal in {"40001": "", "40003": "", "57P01": "fatal"}.items():
    def injection(random, code=code, fatal=fatal):
        return ["inject", random.choice(["COMMIT", "COMMIT", "SELECT"]), code, fatal]
    add_repeated_proxy_kind(f"answers {code}", "sql", injection)


# Resources.

def rabbitmqctl(campaign, *words):
    """On the first node that runs."""
    part = next(part for part in campaign.cluster.select(["rabbitmq"]) if hasattr(part, "node") and part.takes_part())
    command = part.as_user([str(rabbitmq.programs() / "rabbitmqctl"), "-n", part.node, *words])
    done = subprocess.run(command, cwd=part.home, timeout=60, env={**base_environment(), **part.environment()},
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 0, done.stdout
    return part.name


@kind("RabbitMQ: memory alarm")
def memory_alarm(campaign, random):
    name = rabbitmqctl(campaign, "set_vm_memory_high_watermark", "absolute", "1MB")
    yield name, random.uniform(2, 5)
    rabbitmqctl(campaign, "set_vm_memory_high_watermark", "absolute", "1GB")


@kind("RabbitMQ: disk alarm", quick=False)
def disk_alarm(campaign, random):
    name = rabbitmqctl(campaign, "set_disk_free_limit", "100000GB")
    yield name, random.uniform(2, 5)
    rabbitmqctl(campaign, "set_disk_free_limit", "200MB")


def no_small_disk(campaign):
    return None if campaign.small_disk else "a small disk for PostgreSQL needs root and a mount namespace"


@kind("PostgreSQL: disk full", quick=False, needs=no_small_disk)
def disk_full(campaign, random):
    filler = Path(campaign.small_disk) / "filler"
    with open(filler, "wb") as file, contextlib.suppress(OSError):
        while True:
            file.write(b"x" * (1 << 20))
            file.flush()
    yield f"{filler.stat().st_size >> 20} MiB of filler", random.uniform(2, 5)
    filler.unlink()
    campaign.cluster.start("postgres")


def add_descriptor_kind(tier):
    @kind(f"file descriptors exhausted: {tier}")
    def exhausted(campaign, random):
        name = one_of(tier)(campaign, random)
        pid = campaign.cluster.components[name].daemon.running()
        open_now = len(os.listdir(f"/proc/{pid}/fd"))
        soft, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        # What is open stays open; of what is closed now, all or half cannot be opened again.
        limit = random.choice([10, open_now // 2])
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (limit, hard))
        for target in ("sql", "amqp", *campaign.proxies.redis):  # what is cut off has to be opened again
            campaign.proxies.command(target, "cut")
        yield f"{name}: {limit} instead of {open_now}", random.uniform(1, 4)
        with contextlib.suppress(ProcessLookupError):
            resource.prlimit(pid, resource.RLIMIT_NOFILE, (soft, hard))


add_descriptor_kind("api")
add_descriptor_kind("worker")


# Partitions, by dropping packets inside the network namespace of the campaign.

def no_packet_filter(campaign):
    return campaign.no_packet_filter


def nft(*commands):
    subprocess.run(["nft", "-f", "-"], input="\n".join(commands) + "\n", text=True, check=True)


@contextlib.contextmanager
def dropping(*matches):
    """Packets that match are dropped, in this namespace."""
    nft("add table inet armazem_faults", "add chain inet armazem_faults input { type filter hook input priority 0; }",
        *(f"add rule inet armazem_faults input {match} drop" for match in matches))
    try:
        yield
    finally:
        nft("delete table inet armazem_faults")


def add_partition_kind(name, ports, seconds):
    @kind(f"partition: {name}", needs=no_packet_filter)
    def parted(campaign, random):
        chosen = ports(campaign, random)
        listed = "{ " + ", ".join(map(str, chosen)) + " }"
        with dropping(f"tcp dport {listed}", f"tcp sport {listed}"):
            yield json.dumps(chosen), random.uniform(*seconds)


@kind("network: 1 to 8 % of all packets lost", needs=no_packet_filter)
def packets_lost(campaign, random):
    percent = random.randrange(1, 9)
    with dropping(f"numgen random mod 100 < {percent}"):
        yield f"{percent} %", random.uniform(1, 5)


def redis_ports(campaign, random):
    number = int(redis_of_role("master")(campaign, random)[-1])
    ports = campaign.cluster.settings.ports
    return [ports.of("redis", number), ports.of("redis-bus", number)]


def port_of(what, numbers=(0,)):
    """One of the ports of these."""
    return lambda campaign, random: [campaign.cluster.settings.ports.of(what, random.choice(numbers))]


def distribution_ports(campaign, random):
    return [campaign.cluster.settings.ports.of("rabbitmq-distribution", number) for number in (1, 2, 3)]


add_partition_kind("PostgreSQL from HAProxy", port_of("postgres"), (1, 8))
add_partition_kind("RabbitMQ nodes from each other", distribution_ports, (1, 5))
add_partition_kind("RabbitMQ node from its clients", port_of("rabbitmq", (1, 2, 3)), (1, 8))
add_partition_kind("Redis primary from everybody", redis_ports, (1, 8))
add_partition_kind("API from NGINX and clients", port_of("api", (1, 2, 3)), (1, 6))
