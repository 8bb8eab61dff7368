"""What a deployment remembers between two starts, all under one directory, ./data-docker:

    deployment.json     ports, network, sizes, store, images
    secrets/NAME        one password a file, random, mode 0600
    config/SERVICE/     what Compose mounts into the service
    SERVICE/            its data
    compose.env         the variables of deploy/compose.yaml, for calling Compose by hand
"""
import ipaddress
import json
import os
import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path

from cluster.settings import ROOT, DataDirectory, write_private

REDIS = [f"redis-{number}" for number in range(1, 7)]
RABBITMQ = [f"rabbitmq-{number}" for number in range(1, 4)]
COCKROACH = [f"cockroach-{number}" for number in range(1, 4)]
STORES = {"postgres": ["postgres", "postgres-roles"],
          "cockroach": ["cockroach-certificates", "cockroach-cluster", *COCKROACH]}
ONE_SHOTS = ("migrate", "redis-cluster", "postgres-roles", "cockroach-certificates", "cockroach-cluster")

# Root's containers run as this user; anybody else's as himself.
CONTAINER_ID = 10001


def default_data():
    return ROOT / "data-docker"


@dataclass
class Choices:
    port: int = 8000
    rabbitmq_console: int = 15672
    cockroach_console: int = 8080
    net: str = ""
    store: str = "cockroach"
    apis: int = 3
    workers: int = 3
    images: str = str(ROOT / "deploy/images.env")


class Deployment(DataDirectory):
    def __init__(self, data, choices):
        super().__init__(data)
        self.choices = choices

    @staticmethod
    def file_of(data):
        return Path(data).absolute() / "deployment.json"

    @classmethod
    def load(cls, data):
        """None when nothing was ever started there."""
        try:
            return cls(data, Choices(**json.loads(cls.file_of(data).read_text())))
        except FileNotFoundError:
            return None

    @classmethod
    def make(cls, data, **given):
        """What is given wins, then what was chosen before, then the default."""
        before = cls.load(data)
        given = {name: value for name, value in given.items() if value is not None}
        if before and given.get("store", before.choices.store) != before.choices.store:
            raise ValueError(f"{data} holds a {before.choices.store} store; use another --data for {given['store']}")
        return cls(data, Choices(**{**asdict(before.choices if before else Choices()), **given}))

    def save(self):
        self.data.mkdir(mode=0o755, parents=True, exist_ok=True)
        write_private(self.file_of(self.data), json.dumps(asdict(self.choices), indent=2) + "\n")

    @property
    def project(self):
        """Compose's name for all of it: one for each directory, so that several may be side by side."""
        return "armazem" if self.data == default_data().absolute() else f"armazem-{self.data.name}".lower()

    def address(self, number):
        return f"{self.choices.net}.{number}"

    def user(self):
        identity = CONTAINER_ID if os.geteuid() == 0 else os.geteuid()
        return identity, CONTAINER_ID if os.geteuid() == 0 else os.getegid()

    def services(self):
        return ["nginx", "haproxy", "api", "worker", "migrate", "redis-cluster", *REDIS, *RABBITMQ, *STORES[self.choices.store]]

    def images(self):
        """{'REDIS_IMAGE': 'redis:…', …} of the file that was chosen."""
        lines = [line.split("=", 1) for line in Path(self.choices.images).read_text().splitlines() if "=" in line and not line.startswith("#")]
        return {name.strip(): value.strip() for name, value in lines}

    def variables(self):
        choices = self.choices
        user, group = self.user()
        return {
            **self.images(), "ARMAZEM_IMAGE": f"{self.project}-server", "ARMAZEM_USER": f"{user}:{group}", "ARMAZEM_DATA": str(self.data),
            "ARMAZEM_NET": choices.net, "ARMAZEM_PORT": str(choices.port), "RABBITMQ_CONSOLE_PORT": str(choices.rabbitmq_console),
            "COCKROACH_CONSOLE_PORT": str(choices.cockroach_console), "RABBITMQ_ERL_ARGS": "+S 1:1",
            "COMPOSE_PROFILES": choices.store, "COMPOSE_PROJECT_NAME": self.project, "COMPOSE_FILE": str(ROOT / "deploy/compose.yaml"),
        }


def free_net():
    """The first three numbers of a private /24 that neither Docker nor this machine uses yet."""
    taken = [ipaddress.ip_network(text, strict=False) for text in _taken()]
    for third in range(64, 256):
        net = ipaddress.ip_network(f"10.213.{third}.0/24")
        if not any(net.overlaps(other) for other in taken if other.version == 4):
            return f"10.213.{third}"
    raise RuntimeError("no free network: docker network prune may help")


def _taken():
    identifiers = subprocess.run(["docker", "network", "ls", "-q"], capture_output=True, text=True, timeout=30, check=True).stdout.split()
    if identifiers:
        shown = subprocess.run(["docker", "network", "inspect", *identifiers], capture_output=True, text=True, timeout=30, check=True).stdout
        for network in json.loads(shown):
            yield from (part["Subnet"] for part in (network.get("IPAM") or {}).get("Config") or [])
    routes = subprocess.run(["ip", "-o", "-4", "route"], capture_output=True, text=True, timeout=10)
    yield from (line.split()[0] for line in routes.stdout.splitlines() if "/" in line.split()[0])
