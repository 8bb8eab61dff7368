"""Docker and Compose, called as a person would: version 2 ('docker compose') or 1.29 ('docker-compose')."""
import json
import os
import shutil
import subprocess


class Unusable(Exception):
    """Docker cannot do it here; the text says why and what to do."""


def engine():
    """Raises Unusable unless an engine answers."""
    if shutil.which("docker") is None:
        raise Unusable("docker is not installed: https://docs.docker.com/engine/install/, or on Debian: apt install docker.io docker-compose")
    asked = subprocess.run(["docker", "info", "--format", "{{.ServerVersion}}"], capture_output=True, text=True, timeout=30)
    if asked.returncode or not asked.stdout.strip():
        why = (asked.stderr.strip() or asked.stdout.strip()).splitlines()
        raise Unusable(f"Docker's engine does not answer: {why[-1] if why else 'no reason given'}\n"
                       "Start it (systemctl start docker), and see that this user may use it (group docker).")
    return asked.stdout.strip()


def program():
    """['docker', 'compose'] or ['docker-compose']."""
    if subprocess.run(["docker", "compose", "version"], capture_output=True, timeout=30).returncode == 0:
        return ["docker", "compose"]
    if shutil.which("docker-compose"):
        return ["docker-compose"]
    raise Unusable("Docker Compose is not installed: the plugin docker-compose-plugin, or on Debian: apt install docker-compose")


class Compose:
    def __init__(self, variables):
        self.variables = variables
        self.program = program()

    def environment(self):
        return {**os.environ, **self.variables}

    def run(self, *arguments, seconds=600, quiet=False, check=True):
        done = subprocess.run([*self.program, *arguments], env=self.environment(), text=True, timeout=seconds,
                              stdin=subprocess.DEVNULL, capture_output=quiet)
        if check and done.returncode:
            said = (done.stderr or "").strip() if quiet else ""
            raise RuntimeError(f"{' '.join([*self.program, *arguments])} failed with exit code {done.returncode}\n{said}".rstrip())
        return done

    def containers(self):
        """[{'service', 'name', 'id', 'state', 'health', 'exit'}, …], ended ones too."""
        mine = f"label=com.docker.compose.project={self.variables['COMPOSE_PROJECT_NAME']}"
        identifiers = subprocess.run(["docker", "ps", "-aq", "--filter", mine], capture_output=True, text=True, timeout=60, check=True).stdout.split()
        if not identifiers:
            return []
        shown = subprocess.run(["docker", "inspect", *identifiers], capture_output=True, text=True, timeout=60)
        return [{"service": one["Config"]["Labels"]["com.docker.compose.service"], "name": one["Name"].lstrip("/"), "id": one["Id"],
                 "state": one["State"]["Status"], "health": one["State"].get("Health", {}).get("Status"),
                 "exit": one["State"]["ExitCode"]} for one in json.loads(shown.stdout or "[]")]


def has_image(name):
    return subprocess.run(["docker", "image", "inspect", name], capture_output=True, timeout=60).returncode == 0


def pull(name):
    """The error, or None."""
    done = subprocess.run(["docker", "pull", "-q", name], capture_output=True, text=True, timeout=1200)
    return None if done.returncode == 0 else (done.stderr.strip() or done.stdout.strip()).splitlines()[-1]
