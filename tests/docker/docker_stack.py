"""A whole system in containers, as a user starts it: ./start.sh --docker."""
import json
import subprocess

from containers import compose
from containers.layout import Deployment
from support.wait import until

from cluster.settings import ROOT


class Stack:
    def __init__(self, data, ports, image, images, store):
        self.data, self.image, self.images, self.store = data, image, images, store
        self.port, self.console, self.cockroach = ports

    def script(self, name, *options, seconds=900):
        done = subprocess.run([str(ROOT / name), "--docker", "--data", str(self.data), *options], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=seconds)
        assert done.returncode == 0, done.stdout
        return done.stdout

    def start(self, *options):
        return self.script("start.sh", "--store", self.store, "--port", str(self.port), "--rabbitmq-console", str(self.console),
                           "--cockroach-console", str(self.cockroach), "--images", str(self.images), "--image", self.image, *options)

    def stop(self, *options):
        return self.script("stop.sh", *options)

    @property
    def deployment(self):
        return Deployment.load(self.data)

    def front(self):
        return "127.0.0.1", self.port

    def containers(self, service=None):
        found = compose.Compose(self.deployment.variables()).containers()
        return [one for one in found if service in (None, one["service"])]

    def inspect(self):
        identifiers = [one["id"] for one in self.containers()]
        shown = subprocess.run(["docker", "inspect", *identifiers], capture_output=True, text=True, check=True, timeout=60)
        return json.loads(shown.stdout)

    def kill(self, service):
        """kill -9 of one container; restart policies do not bring back what a person killed, so it is started again later."""
        victim = sorted(self.containers(service), key=lambda one: one["name"])[0]
        subprocess.run(["docker", "kill", victim["id"]], check=True, capture_output=True, timeout=60)
        return victim["id"]

    def begin(self, identifier):
        subprocess.run(["docker", "start", identifier], check=True, capture_output=True, timeout=60)

    def wait_until_healthy(self, seconds=180):
        def well():
            return all(one["health"] in ("healthy", None) for one in self.containers() if one["state"] == "running")
        until(well, seconds, "every container to be healthy", every=0.5)
