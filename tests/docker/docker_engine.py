"""An engine and images for the tests: what is there is used, else brought, and always said which.

Where no engine runs and we are root, one is started by hand and ended again, as Docker itself ends: its rules of the packet
filter stay. Images that can't be pulled are stood in for by Debian's packages, under names of their own, so that no log claims
that a public image was tested. Stand-ins and the builder's cache stay for the next run.
"""
import contextlib
import os
import resource
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
PULL_SECONDS = 300
# Containers inherit it, and a huge one makes Erlang fat.
OPEN_FILES = 65536


class NotHere(Exception):
    """Docker can't run here; the text says why."""


def docker(*arguments, seconds=180, check=True):
    done = subprocess.run(["docker", *(str(one) for one in arguments)], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=seconds)
    assert not check or done.returncode == 0, f"docker {' '.join(map(str, arguments))}: {done.stderr.strip()[-600:]}"
    return done


def _answers():
    try:
        return docker("info", seconds=60, check=False).returncode == 0
    except subprocess.TimeoutExpired:
        return False


def _has_bridge():
    return Path("/sys/class/net/docker0").exists()


def _limit_open_files():
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    most = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


@contextlib.contextmanager
def engine():
    """One answers; one that was started here ends with the block."""
    if shutil.which("docker") is None:
        raise NotHere("docker is not installed")
    if shutil.which("docker-compose") is None and docker("compose", "version", check=False).returncode:
        raise NotHere("Docker Compose is not installed")
    if _answers():
        yield
        return
    if shutil.which("dockerd") is None:
        raise NotHere("no engine answers, and there is no dockerd (Debian package docker.io)")
    if os.geteuid() != 0:
        raise NotHere("no engine answers, and only root can start one")
    had_bridge = _has_bridge()
    with tempfile.NamedTemporaryFile(prefix="dockerd-", suffix=".log") as log:
        process = subprocess.Popen(["dockerd"], stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                                   preexec_fn=_limit_open_files)
        try:
            end = time.monotonic() + 120
            while not _answers():
                if process.poll() is not None or time.monotonic() > end:
                    raise NotHere("dockerd does not start: " + Path(log.name).read_text(errors="replace").strip()[-600:])
                time.sleep(0.2)
            yield
        finally:
            _end(process)
            if _has_bridge() and not had_bridge:
                subprocess.run(["ip", "link", "delete", "docker0"], capture_output=True, timeout=60)


def _end(process):
    process.terminate()
    try:
        process.wait(timeout=120)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(timeout=60)


def _has(image):
    return docker("image", "inspect", image, check=False).returncode == 0


def _can_pull(image):
    try:
        return docker("pull", "-q", image, seconds=PULL_SECONDS, check=False).returncode == 0
    except subprocess.TimeoutExpired:
        return False


def ensure_images(say):
    """{variable: image} for --images, and whether CockroachDB is among them."""
    pinned = dict(line.split("=", 1) for line in (ROOT / "deploy/images.env").read_text().splitlines() if "=" in line and line[0] != "#")
    used, registry = {}, True
    for variable, image in pinned.items():
        # Where one cannot be pulled the next ones are not asked for: each try may take minutes to fail.
        here = _has(image)
        if not here and registry:
            here = registry = _can_pull(image)
        if here:
            say(f"{image}: the public image")
            used[variable] = image
        elif variable == "BASE_IMAGE" or variable in PACKAGES:
            used[variable] = _standin(variable, used)
            say(f"{image}: cannot be pulled; {used[variable]}, from Debian's packages, stands in")
        else:
            say(f"{image}: cannot be pulled, and nothing stands in: not tested here")
    ran = docker("run", "--rm", "--network", "none", used["BASE_IMAGE"], "true", check=False)
    if ran.returncode:
        raise NotHere(f"containers do not run: {ran.stderr.strip()[-600:]}")
    return used, "COCKROACH_IMAGE" in used


def _build(name, *arguments, directory):
    done = docker("build", "-q", "-t", name, *arguments, directory, seconds=1800, check=False)
    if done.returncode:
        raise NotHere(f"{name} cannot be built: {done.stderr.strip()[-600:]}")


def _standin(variable, used):
    name = f"armazem-standin/{'debian' if variable == 'BASE_IMAGE' else variable.removesuffix('_IMAGE').lower()}:bookworm"
    if variable != "BASE_IMAGE":  # what did not change comes out of the builder's cache
        _build(name, "--build-arg", f"BASE={used['BASE_IMAGE']}", "--build-arg", f"PACKAGES={PACKAGES[variable]}", directory=HERE / "standins")
    elif not _has(name):
        if shutil.which("debootstrap") is None or os.geteuid() != 0:
            raise NotHere("no image can be pulled, and only root with debootstrap can make one")
        done = subprocess.run([HERE / "standins/base.sh", name], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=1800)
        if done.returncode:
            raise NotHere(f"{name} could not be made: {done.stderr.strip()[-600:]}")
    return name


def server_image(name, binary, base, say):
    """armazem's image around the binary that is tested, built here for the same release of Debian; compiling it once more
    within the image is what deploy/Dockerfile does by itself."""
    runtime = "armazem-test-runtime"
    _build(runtime, "--target", "runtime", "-f", ROOT / "deploy/Dockerfile", "--build-arg", f"BASE={base}", directory=ROOT)
    with tempfile.TemporaryDirectory() as directory:
        work = Path(directory)
        subprocess.run(["strip", "-o", work / "armazem", binary], check=True, timeout=120)
        (work / "Dockerfile").write_text(f'FROM {runtime}\nCOPY armazem /usr/local/bin/armazem\nRUN ["armazem", "--version"]\n')
        _build(name, directory=work)
    say(f"armazem's image: deploy/Dockerfile's runtime around {binary}, not compiled again")
