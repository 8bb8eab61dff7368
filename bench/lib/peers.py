"""The peers: NGINX, webdis on Redis, etcd; each in the scratch directory, on loopback, with the settings it is fastest with.

A peer's `settings` is what the report prints: the very text it was started with, port and directory replaced by words.
"""
import json
import os

from lib import payload, probe
from lib.processes import Failed, free_port

SOCKET_PATH_BYTES = 107  # unix(7): sun_path, with its NUL

WEBDIS_POOL = 2  # connections to Redis per thread; bench/README.md tells how this was chosen


def nginx_config(port, directory, workers="auto"):
    return f"""worker_processes {workers};
daemon off;
pid {directory}/nginx.pid;
error_log {directory}/error.log warn;
events {{ worker_connections 16384; }}
http {{
    access_log off;
    server_tokens off;
    keepalive_requests 1000000000;
    keepalive_timeout 3600s;
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    types {{ }}
    default_type {payload.GET_CONTENT_TYPE};
    server {{
        listen 127.0.0.1:{port} reuseport;
        location / {{ return 200 '{payload.GET_ANSWER.encode("unicode_escape").decode()}'; }}
    }}
}}
"""


def webdis_config(port, directory):
    return json.dumps({
        "redis_host": f"{directory}/redis.sock", "http_host": "127.0.0.1", "http_port": port,
        "threads": os.cpu_count(), "pool_size": WEBDIS_POOL, "daemonize": False, "database": 0,
        "verbosity": 0, "logfile": f"{directory}/webdis.log",
    }, indent=2) + "\n"


def redis_command(directory):
    return ["redis-server", "--port", "0", "--unixsocket", f"{directory}/redis.sock", "--save", "",
            "--appendonly", "no", "--daemonize", "no", "--dir", str(directory)]


def etcd_command(port, peer_port, directory):
    client, peer = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{peer_port}"
    return ["etcd", "--name", "bench", "--data-dir", f"{directory}/data", "--logger", "zap", "--log-level", "error",
            "--listen-client-urls", client, "--advertise-client-urls", client,
            "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--initial-cluster", f"bench={peer}"]


def words(command):
    return " ".join(word if word else "''" for word in map(str, command)) + "\n"


class Nginx:
    settings = {"nginx.conf": nginx_config("PORT", "DIR")}

    def __init__(self, processes, directory, workers="auto"):
        directory.mkdir()
        self.port = free_port()
        config = directory / "nginx.conf"
        config.write_text(nginx_config(self.port, directory, workers))
        self.process = processes.start("nginx", ["nginx", "-p", directory, "-e", directory / "error.log", "-c", config])
        self.process.wait_ready(lambda: probe.answers(self.port, "GET", "/"))
        self.groups = [self.process.pid]
        self.url = f"http://127.0.0.1:{self.port}/store/bench"
        probe.expect(self.port, "GET", "/store/bench", answer=payload.GET_ANSWER.encode())


class Webdis:
    settings = {"webdis.json": webdis_config("PORT", "DIR"), "redis-server": words(redis_command("DIR"))}

    def __init__(self, processes, directory):
        if len(os.fsencode(directory / "redis.sock")) > SOCKET_PATH_BYTES:
            raise Failed(f"path too long for Redis' socket: {directory}; choose a shorter one with --directory")
        directory.mkdir()
        self.port = free_port()
        config = directory / "webdis.json"
        config.write_text(webdis_config(self.port, directory))
        self.redis = processes.start("redis", redis_command(directory))
        self.redis.wait_ready((directory / "redis.sock").exists)
        self.process = processes.start("webdis", ["webdis", config])
        self.process.wait_ready(lambda: probe.answers(self.port, "GET", "/PING"))
        self.groups = [self.process.pid, self.redis.pid]
        self.url = f"http://127.0.0.1:{self.port}/GET/bench"
        probe.expect(self.port, "PUT", "/SET/bench", payload.VALUE)
        probe.expect(self.port, "GET", "/GET/bench", answer=f'{{"GET":"{payload.VALUE}"}}'.encode())


class Etcd:
    settings = {"etcd": words(etcd_command("PORT", "PEER-PORT", "DIR"))}

    def __init__(self, processes, directory):
        directory.mkdir()
        self.port = free_port()
        # Settings from the environment would change what the report says.
        clean = {name: value for name, value in os.environ.items() if not name.startswith("ETCD_")}
        self.process = processes.start("etcd", etcd_command(self.port, free_port(), directory), env=clean)
        self.process.wait_ready(lambda: probe.answers(self.port, "GET", "/health"), seconds=60)
        self.groups = [self.process.pid]
        self.url = f"http://127.0.0.1:{self.port}/v3/kv/put"
        body = json.dumps({"key": "YmVuY2g=", "value": payload.VALUE_BASE64})
        probe.expect(self.port, "POST", "/v3/kv/put", body, {"Content-Type": "application/json"})
