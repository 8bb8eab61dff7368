"""What a cluster remembers between two starts: its ports, its size, its SQL store, and its passwords.

Everything of a cluster lies under one directory:
    cluster.json        ports and sizes, chosen at the first start
    secrets/NAME        one password a file, random, mode 0600
    pids/NAME.pid       pid and start time of what runs
    logs/NAME.log       what the program says
    NAME/               configuration and data of one component
"""
import json
import os
import secrets
import shutil
import threading
from dataclasses import asdict, dataclass
from pathlib import Path

from cluster import ports

ROOT = Path(__file__).resolve().parents[2]
SYSTEM_DATA = Path("/var/lib/armazem-cluster")
PASSWORD_BYTES = 24
_secret_lock = threading.Lock()


def default_data():
    """./data-cluster of the checkout. PostgreSQL refuses to run as root and so runs as user postgres, who cannot get
    to a checkout below /root: there, a place that everybody may pass through."""
    here = ROOT / "data-cluster"
    if os.geteuid() == 0 and not here.exists() and not all(parent.stat().st_mode & 0o001 for parent in here.parents):
        return SYSTEM_DATA
    return here


def has_cockroach():
    return shutil.which("cockroach") is not None


@dataclass
class Choices:
    """The contents of cluster.json."""

    port_base: int
    port: int
    apis: int
    workers: int
    sql: str


class DataDirectory:
    """Where a deployment keeps what it must not forget: directories of its own, and passwords."""

    def __init__(self, data):
        self.data = Path(data).absolute()

    def directory(self, name):
        path = self.data / name
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        return path

    def secret(self, name):
        """The password of that name, made at its first use. Hexadecimal, because it has to survive URLs and six
        configuration languages unquoted."""
        path = self.directory("secrets") / name
        with _secret_lock:  # tiers start side by side and share some
            if not path.exists():
                write_private(path, secrets.token_hex(PASSWORD_BYTES))
        return path.read_text()


class Settings(DataDirectory):
    def __init__(self, data, choices):
        super().__init__(data)
        self.choices = choices
        self.ports = ports.Ports(choices.port_base, choices.port)

    @staticmethod
    def file_of(data):
        return Path(data).absolute() / "cluster.json"

    @classmethod
    def load(cls, data):
        """None when nothing was ever started there."""
        try:
            return cls(data, Choices(**json.loads(cls.file_of(data).read_text())))
        except FileNotFoundError:
            return None

    @classmethod
    def make(cls, data, *, free_ports=False, port_base=None, port=None, apis=None, workers=None, sql=None):
        """What is given wins, then what was chosen before, then the default."""
        before = cls.load(data)
        known = before.choices if before else None
        if known is None:
            if free_ports and port_base is None:
                port_base = ports.pick_base(apis or 3, workers or 3)
                port = port if port is not None else port_base
            store = "cockroach" if has_cockroach() else "postgres"
            known = Choices(ports.DEFAULT_BASE, ports.DEFAULT_NGINX, 3, 3, store)
        given = {"port_base": port_base, "port": port, "apis": apis, "workers": workers, "sql": sql}
        if before and sql not in (None, known.sql):
            raise ValueError(f"{data} holds a {known.sql} store; use another --data for {sql}")
        given = {name: value for name, value in given.items() if value is not None}
        return cls(data, Choices(**{**asdict(known), **given}))

    def save(self):
        self.make_directories()
        write_private(self.file_of(self.data), json.dumps(asdict(self.choices), indent=2) + "\n")

    def is_default(self):
        return self.data == default_data().absolute()

    def make_directories(self):
        # As root, PostgreSQL's user has to get through to its own directory, and no further than through.
        self.data.mkdir(parents=True, exist_ok=True)
        self.data.chmod(0o711 if os.geteuid() == 0 else 0o700)
        for name in ("secrets", "pids", "logs"):
            self.directory(name)


def write_private(path, text):
    """Whole or not at all, and never readable for others, not even for the moment before a chmod."""
    temporary = path.with_name(path.name + ".new")
    temporary.unlink(missing_ok=True)
    with open(temporary, "w", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        file.write(text)
    temporary.replace(path)
