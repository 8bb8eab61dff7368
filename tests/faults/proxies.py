"""The proxies before a cluster's dependencies (armazem-fault-proxy): between our processes and HAProxy's two services, and
before each Redis node."""
import re
import subprocess
import threading

from faults.programs import program


class Proxies:
    """Started before the cluster; `install` makes the cluster's parts speak through them."""

    def __init__(self, cluster):
        ports = cluster.settings.ports
        self.real = {"sql": ports.of("haproxy-sql"), "amqp": ports.of("haproxy-amqp")}
        self.redis = [f"redis-{number}" for number in range(1, 7)]
        self.real |= {name: ports.of("redis", int(name[-1])) for name in self.redis}
        specs = [f"{name + ':postgres' if name == 'sql' else name}={port}" for name, port in self.real.items()]
        self.process = subprocess.Popen([program("armazem-fault-proxy"), *specs], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.port = {}
        for line in self.process.stdout:
            if line == "ready\n":
                break
            name, port = line.split()
            self.port[name] = int(port)
        self.lock = threading.Lock()

    def install(self, cluster, **settings):
        """`settings` are added to what our processes are told."""
        for part in cluster.components.values():
            if part.name.startswith(("api-", "worker-")):
                self._after_prepare(part, lambda part=part: self._redirect(part, settings))
            elif part.name in self.redis:
                # Whoever asks the cluster where a key is must be sent to the proxy.
                line = f"cluster-announce-port {self.port[part.name]}\n"
                self._after_prepare(part, lambda part=part, line=line: _append(part.home / "redis.conf", line))

    @staticmethod
    def _after_prepare(part, then):
        prepare = part.prepare

        def both():
            prepare()
            then()
        part.prepare = both

    def _redirect(self, part, settings):
        path = part.home / "armazem.toml"
        text = path.read_text()
        for name, port in self.real.items():
            text = re.sub(rf"(127\.0\.0\.1:){port}\b", rf"\g<1>{self.port[name]}", text)
        # The proxy reads the messages of the server, so they must not be encrypted; without this libpq would ask first.
        text = re.sub(r'(store = "[^"?]*)"', r'\1?sslmode=disable"', text)
        text += "".join(f'{name.replace("_", "-")} = "{value}"\n' for name, value in settings.items())
        path.write_text(text)

    def command(self, name, *words):
        """Returns how many connections this proxy has broken, and errors it has injected, so far."""
        with self.lock:
            self.process.stdin.write(" ".join([name, *map(str, words)]) + "\n")
            self.process.stdin.flush()
            answer = self.process.stdout.readline().strip()
        assert answer.startswith("ok "), f"proxy {name} {words}: {answer or 'it ended'}"
        return int(answer.removeprefix("ok "))

    def close(self):
        self.process.stdin.close()
        self.process.wait(timeout=10)


def _append(path, text):
    with open(path, "a") as file:
        file.write(text)
