"""NGINX: the address that clients know, in front of all API processes."""
import http.client
import os
import resource
import signal
from dataclasses import dataclass

from cluster import templates
from cluster.component import Component, Tier, program
from cluster.ports import LOOPBACK
from cluster.settings import ROOT

# Six times the API's largest value (1 MiB by default), and room for a batch.
BODY_MAX = "16m"
METHODS = "GET, HEAD, PUT, DELETE, POST"


@dataclass(frozen=True)
class Problem:
    """One of NGINX's own errors, in the words of docs/problems.md where the API has the same one."""

    slug: str
    status: int
    title: str
    detail: str
    retryable: str = "false"
    more: tuple = ()
    members: str = ""


RETRY_AFTER = ("add_header Retry-After 1 always;",)
PROBLEMS = [
    Problem("request-invalid", 400, "The request is not valid HTTP/1.1", "The proxy could not parse the request, or its path "
            "leads above the root. A TLS handshake on this port ends here too: it speaks plain HTTP."),
    Problem("method-not-allowed", 405, "The method is not allowed for this path", "The proxy does not pass this method on.",
            more=(f'add_header Allow "{METHODS}" always;',), members=f',"allow":"{METHODS}"'),
    Problem("value-too-large", 413, "The value is too large", f"The request body is over the proxy's limit of {BODY_MAX[:-1]} MiB."),
    Problem("uri-too-long", 414, "The request target is too long", "The request target is over 8192 bytes."),
    Problem("headers-too-large", 431, "The request headers are too large", "A header line is over 16 KiB, or all of them are "
            "over 64 KiB."),
    Problem("internal", 500, "Internal error", "A fault in the proxy. $armazem_outcome", "$armazem_retryable"),
    Problem("transfer-encoding-unsupported", 501, "The transfer encoding is not supported", "Send 'chunked' or a Content-Length."),
    Problem("bad-gateway", 502, "No API process gave an answer", "No API process took the request, or the one that did went away. "
            "$armazem_outcome", "$armazem_retryable", RETRY_AFTER),
    Problem("overloaded", 503, "Too many requests are waiting", "The proxy has no room for more requests. No effect.", "true",
            RETRY_AFTER),
    Problem("gateway-timeout", 504, "The API process did not answer in time", "The API process took the request and did not answer "
            "in time. $armazem_outcome", "$armazem_retryable", RETRY_AFTER),
    Problem("http-version-unsupported", 505, "Only HTTP/1.1 is spoken here", "Speak HTTP/1.1."),
]


def problem_locations():
    template = (ROOT / "deploy/nginx/problem.conf.in").read_text()
    return "".join(
        templates.fill(template, {
            "SLUG": each.slug, "STATUS": each.status, "TITLE": each.title, "DETAIL": each.detail.replace("'", "\\'"),
            "RETRYABLE": each.retryable, "MORE": "".join(f"\n      {line}" for line in each.more), "MEMBERS": each.members,
        }, "problem.conf.in") for each in PROBLEMS)


class Nginx(Component):
    # SIGQUIT lets requests in flight end; streams that never end are cut after the deadline.
    stop_signal = signal.SIGQUIT
    stop_seconds = 10

    def __init__(self, settings, upstreams=None):
        super().__init__(settings, "nginx")
        self.port = settings.ports.of("nginx")
        self.upstreams = upstreams or [settings.ports.of("api", number) for number in range(1, settings.choices.apis + 1)]

    def listens(self):
        return {self.port: self.name}

    def prepare(self):
        # Root's NGINX has workers of another user, who must get to the temporary files.
        if os.geteuid() == 0:
            self.home.chmod(0o711)
        # One failure takes an API out for 2 s. Longer would keep a restarted one idle, shorter would ask a dead one often.
        servers = [f"    server {LOOPBACK}:{port} max_fails=1 fail_timeout=2s;" for port in self.upstreams]
        templates.render(
            "nginx/nginx.conf.in", self.home / "nginx.conf", LISTEN=LOOPBACK, PORT=self.port, DIRECTORY=self.home,
            PRIVILEGES="user www-data www-data;" if os.geteuid() == 0 else "", BODY_MAX=BODY_MAX,
            FILES_MAX=min(65536, resource.getrlimit(resource.RLIMIT_NOFILE)[1]),
            ACCESS_LOG=self.settings.data / "logs" / "nginx-access.log", API_SERVERS="\n".join(servers),
            PROBLEMS=problem_locations(),
        )

    def command(self):
        return [program("nginx", package="nginx-light"), "-p", str(self.home), "-e", "stderr", "-c", str(self.home / "nginx.conf")]

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
