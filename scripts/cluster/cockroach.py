"""CockroachDB: three nodes, secure mode. Used when `cockroach` is on PATH.

Written from CockroachDB's documentation and not run by this project's tests, which have no `cockroach` binary; docs/
cluster.md says so too. What it relies on: `cockroach cert`, `start --join`, `init`, `sql`, and /health?ready=1.
"""
import http.client
import ssl
import subprocess

from cluster import templates
from cluster.component import Component, Tier, program
from cluster.ports import LOOPBACK
from cluster.waiting import until

NODES = 3
DATABASE = "armazem"


def binary():
    return program("cockroach", package="none: see cockroachlabs.com")


def cockroach(*arguments, text=None, seconds=60):
    done = subprocess.run([binary(), *map(str, arguments)], input=text, text=True, capture_output=True, timeout=seconds)
    if done.returncode:
        raise RuntimeError(f"cockroach {arguments[0]}: {done.stderr.strip()}")
    return done.stdout


class Certificates:
    """A certificate authority of this cluster alone; the nodes share one certificate, they share the address."""

    def __init__(self, settings):
        self.home = settings.data / "cockroach"
        self.directory = self.home / "certs"
        self.key = self.home / "ca.key"

    def make(self):
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        common = [f"--certs-dir={self.directory}", f"--ca-key={self.key}"]
        if not (self.directory / "ca.crt").exists():
            cockroach("cert", "create-ca", *common)
        if not (self.directory / "node.crt").exists():
            cockroach("cert", "create-node", "localhost", LOOPBACK, *common)
        if not (self.directory / "client.root.crt").exists():
            cockroach("cert", "create-client", "root", *common)


class Cockroach(Component):
    start_seconds = 120
    # A node drains: it waits for load balancers (8 s, see form) and hands over its leases.
    stop_seconds = 60

    def __init__(self, settings, number, certificates):
        super().__init__(settings, f"cockroach-{number}")
        self.port = settings.ports.of("cockroach", number)
        self.http_port = settings.ports.of("cockroach-http", number)
        self.certificates = certificates

    def listens(self):
        return {self.port: f"{self.name} (SQL)", self.http_port: f"{self.name} (console)"}

    def prepare(self):
        self.certificates.make()

    def command(self):
        peers = ",".join(f"{LOOPBACK}:{self.settings.ports.of('cockroach', number)}" for number in range(1, NODES + 1))
        # 'start' stays in the foreground unless --background is given.
        return [binary(), "start", f"--certs-dir={self.certificates.directory}", f"--store=path={self.home / 'store'}",
                f"--listen-addr={LOOPBACK}:{self.port}", f"--advertise-addr={LOOPBACK}:{self.port}",
                f"--http-addr={LOOPBACK}:{self.http_port}", f"--join={peers}",
                "--cache=256MiB", "--max-sql-memory=256MiB", "--logtostderr=WARNING"]

    def environment(self):
        return {"HOME": str(self.home)}

    def answers(self):
        """The HTTP server answers as soon as the process is up, also before the cluster is initialised."""
        return self._health("/health")

    def problem(self):
        """503 while it starts, drains, or is cut off from the majority."""
        return self._health("/health?ready=1")

    def _health(self, path):
        context = ssl.create_default_context(cafile=str(self.certificates.directory / "ca.crt"))
        connection = http.client.HTTPSConnection(LOOPBACK, self.http_port, timeout=5, context=context)
        try:
            connection.request("GET", path)
            status = connection.getresponse().status
            return None if status == 200 else f"{path}: {status}"
        except (OSError, http.client.HTTPException) as error:
            return f"port {self.http_port}: {error}"
        finally:
            connection.close()


class CockroachTier(Tier):
    name = "cockroach"

    def __init__(self, settings):
        self.certificates = Certificates(settings)
        super().__init__(settings, [Cockroach(settings, number, self.certificates) for number in range(1, NODES + 1)])

    def form(self):
        """Joins the nodes once, then database and user. Every statement may be repeated."""
        first = self.components[0]
        initialised = self.certificates.home / "initialised"
        node = [f"--certs-dir={self.certificates.directory}", f"--host={LOOPBACK}:{first.port}"]
        if not initialised.exists():
            try:
                cockroach("init", *node)
            except RuntimeError as error:
                if "already been initialized" not in str(error):
                    raise
            initialised.touch()
        if first.answers() or first.daemon.paused():
            return  # only some nodes were started; all this was done before
        until(lambda: first.problem() is None, first.start_seconds, "CockroachDB to be ready for SQL")
        cockroach("sql", *node, seconds=120,
                  text=templates.text("cockroach/roles.sql.in", PASSWORD=self.settings.secret("cockroach-armazem")))

    def url(self, through=None):
        """All three nodes, or HAProxy's port. TLS from end to end: HAProxy passes it on, and the certificate names the
        address that both share."""
        ports = [through] if through else [node.port for node in self.components]
        hosts = ",".join(f"{LOOPBACK}:{port}" for port in ports)
        secret = self.settings.secret("cockroach-armazem")
        return (f"postgres://armazem:{secret}@{hosts}/{DATABASE}"
                f"?sslmode=verify-full&sslrootcert={self.certificates.directory}/ca.crt")

    def haproxy_check(self):
        return "  # 503 while a node drains or is cut off from the majority: only then may it be left out.\n" \
               "  option httpchk GET /health?ready=1"

    def haproxy_servers(self):
        return [f"  server {node.name} {LOOPBACK}:{node.port} check port {node.http_port} check-ssl verify required "
                f"ca-file {self.certificates.directory / 'ca.crt'}" for node in self.components]
