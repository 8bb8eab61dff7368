"""The system in containers: it serves, it survives the loss of one container of every kind, it scales without a failed request,
it keeps its data, it leaves nothing behind; and nothing in it is more open than it has to be."""
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from base64 import b64encode

import pytest

from cluster.settings import ROOT
from support.cluster_view import converged
from support.wait import until
from support.workload import ACKNOWLEDGED, Workload

GOOD = (*ACKNOWLEDGED, 404)
VICTIMS = ["api", "worker", "redis-1", "rabbitmq-1", "haproxy", "nginx"]


def test_http_conformance(stack):
    environment = {**os.environ, "ARMAZEM_URL": f"http://127.0.0.1:{stack.port}", "ARMAZEM_URL_VIA_PROXY": "1"}
    done = subprocess.run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", str(ROOT / "tests/pytest.ini"), str(ROOT / "tests/http")],
                          env=environment, capture_output=True, text=True, timeout=900)
    print(done.stdout.strip().splitlines()[-1])
    assert done.returncode == 0, done.stdout[-6000:]


@pytest.mark.parametrize("service", [*VICTIMS, "store"])
def test_one_container_is_killed(stack, service):
    name = {"postgres": "postgres", "cockroach": "cockroach-1"}[stack.store] if service == "store" else service
    with Workload(stack.front(), writers=4, prefix=f"kill-{name}-{time.time_ns()}") as load:
        until(lambda: load.count("PUT", ACKNOWLEDGED) >= 100, 60, "the clients to be at work")
        broken = time.monotonic()
        victim = stack.kill(name)
        until(lambda: time.monotonic() > broken + 8, 30, "the time away")
        stack.begin(victim)
        stack.wait_until_healthy()
        healed = time.monotonic()
        until(lambda: load.count("PUT", (200, 201), since=healed) >= 100, 120, "applied writes after the healing")
    print(f"{name} killed: PUT {load.statuses('PUT', broken, healed)}, GET {load.statuses('GET', broken, healed)}, "
          f"longest gap {load.longest_gap('PUT', ACKNOWLEDGED, broken, healed):.2f} s")
    assert load.violations == []
    converged(load, stack.front())


@pytest.mark.parametrize("option,service,numbers", [("--api", "api", (5, 2, 3)), ("--workers", "worker", (5, 1, 3))])
def test_scaled_under_load(stack, option, service, numbers):
    with Workload(stack.front(), writers=4, prefix=f"scale-{service}-{time.time_ns()}") as load:
        until(lambda: load.count("PUT", ACKNOWLEDGED) >= 100, 60, "the clients to be at work")
        for number in numbers:
            stack.start(option, str(number))
            assert len([one for one in stack.containers(service) if one["state"] == "running"]) == number
            reached = time.monotonic()
            until(lambda: load.count("PUT", (200, 201), since=reached) >= 50, 60, "writes after the scaling")
    print(f"{service} scaled to {numbers}: PUT {load.statuses('PUT')}, GET {load.statuses('GET')}")
    assert load.violations == []
    assert load.failures(GOOD) is None
    converged(load, stack.front())


def test_new_apis_get_requests(stack):
    """NGINX's address finds those that came later."""
    stack.start("--api", "4")
    served = set()
    request = f"http://127.0.0.1:{stack.port}/metrics"

    def all_served():
        text = urllib.request.urlopen(request, timeout=10).read().decode()
        served.add(next(line for line in text.splitlines() if line.startswith("process_start_time_seconds")))
        return len(served) == 4
    until(all_served, 60, "all four to answer", every=0.05)
    stack.start("--api", "3")


def test_all_is_restarted_and_all_is_there(stack):
    with Workload(stack.front(), writers=4, prefix=f"restart-{time.time_ns()}") as load:
        until(lambda: load.count("PUT", (200, 201)) >= 200, 60, "the clients to be at work")
    stack.stop()
    assert stack.containers() == []
    begun = time.monotonic()
    stack.start()
    print(f"started again after {time.monotonic() - begun:.0f} s")
    converged(load, stack.front())


# ---- nothing is more open than it has to be

def test_published_ports_are_the_named_ones_on_loopback(stack):
    found = {(binding["HostIp"], int(binding["HostPort"])) for one in stack.inspect()
             for bindings in (one["NetworkSettings"]["Ports"] or {}).values() for binding in bindings or []}
    wanted = {("127.0.0.1", stack.port), ("127.0.0.1", stack.console)}
    if stack.store == "cockroach":
        wanted.add(("127.0.0.1", stack.cockroach))
    assert found == wanted


def test_nobody_is_root_and_nothing_can_be_changed(stack):
    for one in stack.inspect():
        name, host = one["Name"], one["HostConfig"]
        assert one["Config"]["User"].split(":")[0] not in ("", "0", "root"), name
        assert host["ReadonlyRootfs"] and host["CapDrop"] == ["ALL"] and not host["Privileged"], name
        assert "no-new-privileges:true" in host["SecurityOpt"], name
        assert host["PidsLimit"] and host["Memory"], name


def test_only_the_edge_has_a_way_out(stack):
    networks = {one["Name"].lstrip("/"): set(one["NetworkSettings"]["Networks"]) for one in stack.inspect()}
    edge = f"{stack.deployment.project}_edge"
    at_the_edge = {name for name, nets in networks.items() if edge in nets}
    assert all(part in ("nginx", "haproxy", "cockroach-1", "cockroach-2", "cockroach-3")
               for part in ({one["service"] for one in stack.containers() if one["name"] in at_the_edge}))


def test_no_default_password(stack):
    def console(user, password):
        request = urllib.request.Request(f"http://127.0.0.1:{stack.console}/api/whoami",
                                         headers={"Authorization": "Basic " + b64encode(f"{user}:{password}".encode()).decode()})
        try:
            return urllib.request.urlopen(request, timeout=10).status
        except urllib.error.HTTPError as error:
            return error.code
    assert console("operator", stack.deployment.secret("rabbitmq-operator")) == 200
    assert {console("guest", "guest"), console("operator", ""), console("armazem", "armazem"), console("operator", "operator")} == {401}


def test_secrets_are_nobody_elses_and_not_in_the_environment(stack):
    secrets = list((stack.data / "secrets").iterdir())
    assert secrets and len({one.read_text() for one in secrets}) == len(secrets)
    for one in secrets:
        assert one.stat().st_mode & 0o077 == 0, one
    words = [one.read_text() for one in secrets]
    for one in stack.inspect():
        shown = " ".join([*one["Config"]["Env"], *(one["Config"]["Cmd"] or []), *(one["Config"]["Entrypoint"] or [])])
        assert not any(word in shown for word in words), one["Name"]


def test_image_is_small_and_has_no_compiler(stack):
    size = int(subprocess.run(["docker", "image", "inspect", "-f", "{{.Size}}", stack.image], capture_output=True, text=True, check=True, timeout=60).stdout)
    print(f"image: {size / 1e6:.0f} MB")
    assert size < 150e6
    found = subprocess.run(["docker", "run", "--rm", "--network", "none", "--entrypoint", "sh", stack.image, "-c", "command -v gcc cc g++ clang make curl; id -u"],
                           capture_output=True, text=True, timeout=120)
    assert found.stdout.split() == ["10001"]


# ---- the last one: it is stopped for good

def test_nothing_is_left_behind(stack):
    project = stack.deployment.project
    stack.stop("--wipe")
    for kind in (["ps", "-a"], ["volume", "ls"], ["network", "ls"]):
        left = subprocess.run(["docker", *kind, "-q", "--filter", f"label=com.docker.compose.project={project}"], capture_output=True, text=True, check=True, timeout=60)
        assert left.stdout == "", kind
    assert not stack.data.exists()
