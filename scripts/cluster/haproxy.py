"""HAProxy: one stable address each for RabbitMQ and for the SQL store."""
import csv
import http.client
import os

from cluster import rabbitmq, templates
from cluster.component import Component, Tier, program
from cluster.ports import LOOPBACK

# The sections of the configuration that have servers.
BACKENDS = ("rabbitmq", "sql")


class HAProxy(Component):
    def __init__(self, settings, sql):
        super().__init__(settings, "haproxy")
        self.sql = sql
        self.amqp_port = settings.ports.of("haproxy-amqp")
        self.sql_port = settings.ports.of("haproxy-sql")
        self.stats_port = settings.ports.of("haproxy-stats")

    def listens(self):
        return {self.amqp_port: "haproxy (AMQP)", self.sql_port: "haproxy (SQL)",
                self.stats_port: "haproxy (statistics)"}

    def prepare(self):
        ports = [self.settings.ports.of("rabbitmq", number) for number in range(1, rabbitmq.NODES + 1)]
        # Only root can give up being root; anybody else has nothing to give up.
        privileges = "  user haproxy\n  group haproxy" if os.geteuid() == 0 else "  # started without privileges"
        templates.render(
            "haproxy/haproxy.cfg.in", self.home / "haproxy.cfg", LISTEN=LOOPBACK, PRIVILEGES=privileges,
            AMQP_PORT=self.amqp_port, SQL_PORT=self.sql_port, STATS_PORT=self.stats_port,
            AMQP_SERVERS="\n".join(f"  server rabbitmq-{number} {LOOPBACK}:{port} check"
                                   for number, port in enumerate(ports, 1)),
            SQL_CHECK=self.sql.haproxy_check(), SQL_SERVERS="\n".join(self.sql.haproxy_servers()),
        )

    def command(self):
        return [program("haproxy", package="haproxy"), "-db", "-f", str(self.home / "haproxy.cfg")]

    def servers(self):
        """{'rabbitmq-1': 'UP', …} as HAProxy sees them."""
        connection = http.client.HTTPConnection(LOOPBACK, self.stats_port, timeout=3)
        try:
            connection.request("GET", "/;csv")
            rows = csv.DictReader(connection.getresponse().read().decode().removeprefix("# ").splitlines())
            return {row["svname"]: row["status"] for row in rows
                    if row["pxname"] in BACKENDS and row["svname"] not in ("FRONTEND", "BACKEND")}
        finally:
            connection.close()

    def problem(self):
        """It is well when each service has a server. Which node is down is that node's problem, not HAProxy's."""
        try:
            up = {name.rpartition("-")[0] or name for name, status in self.servers().items() if status.startswith("UP")}
        except (OSError, http.client.HTTPException) as error:
            return f"port {self.stats_port}: {error}"
        missing = {"rabbitmq", self.sql.name} - up
        return f"no server up for {', '.join(sorted(missing))}" if missing else None


class HAProxyTier(Tier):
    name = "haproxy"

    def __init__(self, settings, sql):
        super().__init__(settings, [HAProxy(settings, sql)])
