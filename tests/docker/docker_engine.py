"""An engine and images for the tests: what is there is used, else brought, and always said which.

Where no engine runs and we are root, one is started by hand and ended again. Images that can't be pulled are stood in for by
Debian's packages, under names of their own, so that no log claims that a public image was tested.
"""
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
# What stands in for each image, by Debian's packages.
PACKAGES = {"NGINX_IMAGE": "nginx-light", "HAPROXY_IMAGE": "haproxy", "REDIS_IMAGE": "redis-server redis-tools",
            "RABBITMQ_IMAGE": "rabbitmq-server", "POSTGRES_IMAGE": "postgresql-15 libnss-wrapper"}
PULL_SECONDS = 90


class NotHere(Exception):
    """Docker can't run here; the text says why."""


def _run(*command, seconds=1200, **more):
    return subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=seconds, **more)


def answers():
    return shutil.which("docker") is not None and _run("docker", "info", seconds=30).returncode == 0


class Engine:
    """`with Engine():` one answers; one that was started here ends with the block."""

    def __enter__(self):
        self.process = None
        if answers():
            return self
        if shutil.which("dockerd") is None:
            raise NotHere("there is no dockerd (Debian package docker.io)")
        if os.geteuid() != 0:
            raise NotHere("no engine answers, and only root can start one")
        self.log = tempfile.NamedTemporaryFile(prefix="dockerd-", suffix=".log")
        self.process = subprocess.Popen(["dockerd"], stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, start_new_session=True)
        end = time.monotonic() + 60
        while not answers():
            if self.process.poll() is not None or time.monotonic() > end:
                self.__exit__()
                raise NotHere("dockerd does not start: " + Path(self.log.name).read_text(errors="replace")[-600:])
            time.sleep(0.2)
        return self

    def __exit__(self, *_):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(timeout=60)


def has(image):
    return _run("docker", "image", "inspect", image, seconds=60).returncode == 0


def ensure_images(say):
    """{variable: image} for --images, and whether CockroachDB is among them."""
    pinned = dict(line.split("=", 1) for line in (ROOT / "deploy/images.env").read_text().splitlines() if "=" in line and line[0] != "#")
    used, registry = {}, True
    for variable, image in pinned.items():
        if not has(image) and registry:
            registry = _run("timeout", PULL_SECONDS, "docker", "pull", "-q", image).returncode == 0 or has(image)
        if has(image):
            say(f"{image}: the public image")
            used[variable] = image
        elif variable == "BASE_IMAGE" or variable in PACKAGES:
            used[variable] = _standin(variable, used)
            say(f"{image}: cannot be pulled; {used[variable]}, from Debian's packages, stands in")
        else:
            say(f"{image}: cannot be pulled, and nothing stands in: not tested here")
    return used, "COCKROACH_IMAGE" in used


def _standin(variable, used):
    name = f"armazem-standin/{'debian' if variable == 'BASE_IMAGE' else variable.removesuffix('_IMAGE').lower()}:bookworm"
    if has(name):
        return name
    if variable == "BASE_IMAGE":
        if shutil.which("debootstrap") is None:
            raise NotHere("no image can be pulled and there is no debootstrap to make one")
        done = _run(HERE / "standins/base.sh", name)
    else:
        done = _run("docker", "build", "-q", "-t", name, "--build-arg", f"BASE={used['BASE_IMAGE']}",
                    "--build-arg", f"PACKAGES={PACKAGES[variable]}", HERE / "standins")
    if done.returncode:
        raise NotHere(f"{name} could not be made: {done.stderr.strip()[-600:]}")
    return name


def server_image(binary, base, say):
    """armazem's image around the binary that is tested, built here for the same release of Debian; compiling it once more
    within the image is what deploy/Dockerfile does by itself."""
    runtime, name = "armazem-test-runtime", "armazem-test"
    done = _run("docker", "build", "-q", "--target", "runtime", "-t", runtime, "-f", ROOT / "deploy/Dockerfile",
                "--build-arg", f"BASE={base}", ROOT)
    if done.returncode:
        raise NotHere(f"deploy/Dockerfile: {done.stderr.strip()[-600:]}")
    with tempfile.TemporaryDirectory() as directory:
        work = Path(directory)
        _run("strip", "-o", work / "armazem", binary)
        (work / "Dockerfile").write_text(f'FROM {runtime}\nCOPY armazem /usr/local/bin/armazem\nRUN ["armazem", "--version"]\n')
        done = _run("docker", "build", "-q", "-t", name, work)
    if done.returncode:
        raise NotHere(f"the binary does not run in {base}: {done.stderr.strip()[-600:]}")
    say(f"armazem's image: deploy/Dockerfile's runtime around {binary}, not compiled again")
    return name
