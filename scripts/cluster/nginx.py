"""NGINX: the address that clients know, in front of all API processes."""
import http.client
import os
import resource
import signal

from cluster import templates
from cluster.component import Component, Tier, program
from cluster.ports import LOOPBACK

# Six times the API's largest value (1 MiB by default), and room for a batch.
BODY_MAX = "16m"


class Nginx(Component):
    # SIGQUIT lets requests in flight end; streams that never end are cut after the deadline.
    stop_signal = signal.SIGQUIT
    stop_seconds = 10

    def __init__(self, settings, upstreams=None):
        super().__init__(settings, "nginx")
        self.port = settings.ports.of("nginx")
        apis = range(1, settings.choices.apis + 1)
        self.upstreams = upstreams or [settings.ports.of("api", number) for number in apis]

    def listens(self):
        return {self.port: self.name}

    def prepare(self):
        # Root's NGINX has workers of another user, who must get to the temporary files.
        if os.geteuid() == 0:
            self.home.chmod(0o711)
        # NGINX only learns from requests: each look at a dead API costs a write its answer (502). Longer would keep a
        # restarted one idle.
        servers = [f"    server {LOOPBACK}:{port} max_fails=1 fail_timeout=20s;" for port in self.upstreams]
        templates.render(
            "nginx/nginx.conf.in", self.home / "nginx.conf", LISTEN=LOOPBACK, PORT=self.port, DIRECTORY=self.home,
            PRIVILEGES="user www-data www-data;" if os.geteuid() == 0 else "", BODY_MAX=BODY_MAX,
            FILES_MAX=min(65536, resource.getrlimit(resource.RLIMIT_NOFILE)[1]),
            ACCESS_LOG=self.settings.data / "logs" / "nginx-access.log", API_SERVERS="\n".join(servers),
        )
        templates.render("nginx/problems.conf.in", self.home / "problems.conf")

    def command(self):
        return [program("nginx", package="nginx-light"), "-p", str(self.home), "-e", "stderr",
                "-c", str(self.home / "nginx.conf")]

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
