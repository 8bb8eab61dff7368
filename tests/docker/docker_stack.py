"""A whole system in containers, as a user starts it: ./start.sh --docker."""
import json
import os
import socket
import subprocess

from containers import compose
from containers.layout import ONE_SHOTS, Deployment
from docker_engine import docker
from support.wait import until

from cluster.settings import ROOT

SCRIPT_SECONDS = 1500  # start.sh gives up sooner, and says why
HEAL_SECONDS = 300


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


def run_script(name, *options, env=None):
    """./start.sh or ./stop.sh: (exit code, output)."""
    done = subprocess.run([ROOT / name, "--docker", *(str(one) for one in options)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=SCRIPT_SECONDS, env=env or os.environ)
    return done.returncode, done.stdout


class Stack:
    def __init__(self, data, image, images, store):
        self.data, self.image, self.images, self.store = data, image, images, store
        self.port, self.console, self.cockroach = free_ports(3)

    def _script(self, name, *options):
        code, text = run_script(name, "--data", self.data, *options)
        assert code == 0, f"{text[-3000:]}\n{self.last_words()}"
        return text

    def start(self, *options):
        return self._script("start.sh", "--store", self.store, "--port", self.port, "--rabbitmq-console", self.console,
                            "--cockroach-console", self.cockroach, "--images", self.images, "--image", self.image, *options)

    def stop(self, *options):
        return self._script("stop.sh", *options)

    @property
    def deployment(self):
        return Deployment.load(self.data)

    def secret(self, name):
        return (self.data / "secrets" / name).read_text()

    def front(self):
        return "127.0.0.1", self.port

    def containers(self, service=None):
        """In the order of their names; those that have ended, too."""
        if self.deployment is None:
            return []
        found = sorted(compose.Compose(self.deployment.variables()).containers(), key=lambda one: one["name"])
        return [one for one in found if service in (None, one["service"])]

    def running(self, service=None):
        return [one for one in self.containers(service) if one["state"] == "running"]

    def inspect(self):
        return json.loads(docker("inspect", *(one["id"] for one in self.containers())).stdout)

    def inside(self, service, *command, env=()):
        """Exit code and output of a command in the first running container of a service."""
        variables = [part for name in env for part in ("-e", name)]
        done = docker("exec", *variables, self.running(service)[0]["id"], *command, check=False)
        return done.returncode, done.stdout + done.stderr

    def take_away(self, service):
        """Killed, and away until `bring_back`: what a person has killed Docker does not start again."""
        victim = self.running(service)[0]["id"]
        docker("kill", victim)
        return victim

    def bring_back(self, identifier):
        docker("start", identifier)

    def crash(self, service):
        """kill -9 of every process in one container; returns when Docker has started it again by itself."""
        victim = self.running(service)[0]["id"]
        begun = docker("inspect", "-f", "{{.State.StartedAt}}", victim).stdout
        # Not to process 1, Docker's init, which ends with its child; and it may take the shell that asks along.
        docker("exec", victim, "sh", "-c", "kill -9 -1", check=False)

        def again():
            now = docker("inspect", "-f", "{{.State.StartedAt}} {{.State.Status}}", victim).stdout
            return not now.startswith(begun.strip()) and now.endswith(" running\n")
        until(again, HEAL_SECONDS, f"Docker to start {service} again", every=0.2)

    def unwell(self):
        """Who is not as he should be."""
        def well(one):
            if one["service"] in ONE_SHOTS:
                return one["state"] == "exited" and one["exit"] == 0
            return one["state"] == "running" and one["health"] in ("healthy", None)
        return [one for one in self.containers() if not well(one)]

    def last_words(self):
        """Of those who are not well, for the message of a test that fails."""
        def of(one):
            said = docker("logs", "--tail", 15, one["id"], check=False)
            return f"{one['name']}: {one['state']}, {one['health']}, exit code {one['exit']}\n{said.stdout}{said.stderr}"
        return "\n".join(of(one) for one in self.unwell())

    def wait_until_healthy(self):
        try:
            until(lambda: not self.unwell(), HEAL_SECONDS, "every container to be healthy", every=0.5)
        except AssertionError as late:
            raise AssertionError(f"{late}\n{self.last_words()}") from None

    def left_behind(self):
        """{kind: what there is of this deployment}."""
        mine = ("--filter", f"label=com.docker.compose.project={self.project}")
        found = {kind: docker(*listing, "-q", *mine).stdout.split()
                 for kind, listing in {"container": ("ps", "-a"), "volume": ("volume", "ls"), "network": ("network", "ls")}.items()}
        found["image"] = docker("image", "ls", "-q", f"{self.project}-server").stdout.split()
        return {kind: names for kind, names in found.items() if names}

    @property
    def project(self):
        return f"armazem-{self.data.name}"
