"""NGINX: the address that clients know, in front of all API processes."""
import http.client
import os
import resource
import signal

from cluster import templates
from cluster import processes
from cluster.component import Component, ComponentFailed, Tier, program
from cluster.ports import LOOPBACK
from cluster.waiting import TimedOut, until

# Six times the API's largest value (1 MiB by default), and room for a batch.
BODY_MAX = "16m"
# Shorter than the API's --idle-timeout (75 s): a connection must not be closed under a write that has just been sent.
API_KEEPALIVE = "    keepalive_timeout 60s;"


# Above 'proxy_read_timeout': the longest that a request may be under way. Streams of /watch may take longer, and are cut.
RELOAD_SECONDS = 60


class Nginx(Component):
    # SIGQUIT lets requests in flight end; streams that never end are cut after the deadline.
    stop_signal = signal.SIGQUIT
    stop_seconds = 10

    def __init__(self, settings, upstreams=None):
        super().__init__(settings, "nginx")
        self.port = settings.ports.of("nginx")
        apis = range(1, settings.choices.apis + 1)
        self.upstreams = upstreams or [settings.ports.of("api", number) for number in apis]
        self.down = set()  # of the upstreams: gets no requests

    def listens(self):
        return {self.port: self.name}

    def prepare(self):
        # Root's NGINX has workers of another user, who must get to the temporary files.
        if os.geteuid() == 0:
            self.home.chmod(0o711)
        # NGINX only learns from requests: each look at a dead API costs a write its answer (502). Longer would keep a
        # restarted one idle.
        servers = [f"    server {LOOPBACK}:{port} max_fails=1 fail_timeout=20s{' down' * (port in self.down)};"
                   for port in self.upstreams]
        templates.render(
            "nginx/nginx.conf.in", self.home / "nginx.conf", LISTEN=LOOPBACK, PORT=self.port, DIRECTORY=self.home,
            PRIVILEGES="user www-data www-data;" if os.geteuid() == 0 else "", BODY_MAX=BODY_MAX,
            FILES_MAX=min(65536, resource.getrlimit(resource.RLIMIT_NOFILE)[1]),
            ACCESS_LOG=self.settings.data / "logs" / "nginx-access.log", API_SERVERS="\n".join(servers), API_KEEPALIVE=API_KEEPALIVE,
        )
        templates.render("nginx/problems.conf.in", self.home / "problems.conf")

    def command(self):
        return [program("nginx", package="nginx-light"), "-p", str(self.home), "-e", "stderr",
                "-c", str(self.home / "nginx.conf")]

    def send_nothing_to(self, *ports):
        """From now on; back when requests that are on their way to them have ended. None: all get requests again."""
        self.down = set(ports)
        self.prepare()
        before = self.workers()
        self.daemon.identity().signal(signal.SIGHUP)

        def only_new():
            now = self.workers()
            return now and not now & before
        try:
            until(only_new, RELOAD_SECONDS, "the last requests by the configuration before")
        except TimedOut as late:
            raise ComponentFailed(self, f"reload: {late}") from None

    def leaves_some_out(self):
        """As a rolling restart leaves behind that did not come to its end."""
        configuration = self.home / "nginx.conf"
        return self.running() and " down;" in configuration.read_text()

    def workers(self):
        """Processes that answer requests: of the configuration that holds, and of earlier ones with requests to end."""
        master = self.daemon.running()
        return {stat.pid for stat in processes.all_stats() if stat.parent == master and not processes.is_dead(stat)}

    def problem(self):
        """Through to an API: /health/ready says 200 when that API could serve a request."""
        connection = http.client.HTTPConnection(LOOPBACK, self.port, timeout=5)
        try:
            connection.request("GET", "/health/ready")
            status = connection.getresponse().status
            return None if status == 200 else f"GET /health/ready through port {self.port}: {status}"
        except (OSError, http.client.HTTPException) as error:
            return f"port {self.port}: {error}"
        finally:
            connection.close()


class NginxTier(Tier):
    name = "nginx"

    def __init__(self, settings):
        super().__init__(settings, [Nginx(settings)])
