"""The system in containers: it serves, it survives the loss of one container of every kind, it scales without a failed request,
it keeps its data."""
import os
import subprocess
import sys
import time
import urllib.request

import pytest

from cluster.settings import ROOT
from support.cluster_view import converged
from support.metrics import parse
from support.wait import until
from support.workload import ACKNOWLEDGED, Workload

GOOD = (*ACKNOWLEDGED, 404)
CONVERGED_SECONDS = 240
# A container's own answer to GET /metrics; there is no HTTP client in the image.
ASK = 'exec 3<>/dev/tcp/127.0.0.1/8000; printf "GET /metrics HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n" >&3; cat <&3'


def clients(stack, name, writers=4):
    return Workload(stack.front(), writers=writers, keys_each=10, prefix=f"{name}-{time.time_ns()}")


def wait_for_writes(load, count, since=0.0, statuses=ACKNOWLEDGED):
    until(lambda: load.count("PUT", statuses, since=since) >= count, 240, f"{count} writes")


def part_of(stack, service):
    return {"postgres": "postgres", "cockroach": "cockroach-1"}[stack.store] if service == "store" else service


def judge(stack, load, what, since, until_then):
    print(f"{what}: PUT {load.statuses('PUT', since, until_then)}, GET {load.statuses('GET', since, until_then)}, "
          f"longest gap {load.longest_gap('PUT', ACKNOWLEDGED, since, until_then):.2f} s in {until_then - since:.1f} s")
    assert load.violations == []
    converged(load, stack.front(), CONVERGED_SECONDS)


def test_http_conformance_through_the_published_port(stack):
    environment = {**os.environ, "ARMAZEM_URL": f"http://127.0.0.1:{stack.port}", "ARMAZEM_URL_VIA_PROXY": "1"}
    done = subprocess.run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", ROOT / "tests/pytest.ini", ROOT / "tests/http"],
                          env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=1800)
    print(done.stdout.strip().splitlines()[-1])
    assert done.returncode == 0, done.stdout[-6000:]


@pytest.mark.parametrize("service", ["nginx", "haproxy", "api", "worker", "redis-1", "rabbitmq-1", "store"])
def test_a_crashed_container_is_started_again(stack, service):
    """By Docker, and the service is there again without anybody's help."""
    name = part_of(stack, service)
    with clients(stack, f"crash-{name}") as load:
        wait_for_writes(load, 100)
        broken = time.monotonic()
        stack.crash(name)
        stack.wait_until_healthy()
        healed = time.monotonic()
        wait_for_writes(load, 100, since=healed, statuses=(200, 201))
    judge(stack, load, f"{name} crashed", broken, healed)


def primaries(stack):
    """Addresses of the Redis nodes that serve slots, as the second one sees it."""
    code, text = stack.inside("redis-2", "redis-cli", "--user", "operator", "--no-auth-warning", "cluster", "nodes",
                              env=[f"REDISCLI_AUTH={stack.secret('redis-operator')}"])
    lines = [line.split() for line in text.splitlines()] if code == 0 else []
    return {line[1].split(":")[0] for line in lines if len(line) > 8 and "master" in line[2] and "fail" not in line[2]}


@pytest.mark.parametrize("service", ["api", "worker", "redis-1", "rabbitmq-1"])
def test_others_serve_while_one_is_away(stack, service):
    with clients(stack, f"away-{service}") as load:
        wait_for_writes(load, 100)
        broken = time.monotonic()
        victim = stack.take_away(service)
        wait_for_writes(load, 200, since=time.monotonic())
        if service.startswith("redis"):
            until(lambda: len(primaries(stack) - {stack.deployment.address(141)}) == 3, 120, "its replica to take over", every=0.2)
        stack.bring_back(victim)
        stack.wait_until_healthy()
        healed = time.monotonic()
        wait_for_writes(load, 100, since=healed, statuses=(200, 201))
    judge(stack, load, f"{service} away", broken, healed)


def stores_seen(identifier):
    """Requests of clients that this API has answered."""
    done = subprocess.run(["docker", "exec", identifier, "bash", "-c", ASK], capture_output=True, text=True, timeout=60)
    samples = parse(done.stdout.partition("\n\n")[2]).samples
    return sum(count for (name, labels), count in samples.items() if name == "armazem_http_requests_total" and dict(labels)["route"].startswith("/store"))


def test_apis_and_workers_are_scaled_without_a_failed_request(stack):
    with clients(stack, "scaled", writers=5) as load:
        wait_for_writes(load, 100)
        for apis, workers in ((5, 4), (2, 1), (3, 3)):
            begun = time.monotonic()
            stack.start("--api", apis, "--workers", workers)
            reached = time.monotonic()
            assert (len(stack.running("api")), len(stack.running("worker"))) == (apis, workers)
            # New ones are found, by HAProxy.
            until(lambda: all(stores_seen(one["id"]) > 0 for one in stack.running("api")), 120, "every API to get requests", every=0.2)
            wait_for_writes(load, 50, since=reached)
            print(f"{apis} APIs and {workers} workers after {reached - begun:.0f} s: PUT {load.statuses('PUT')}, GET {load.statuses('GET')}")
    assert load.violations == []
    assert load.failures(GOOD) is None
    converged(load, stack.front(), CONVERGED_SECONDS)


def test_all_is_restarted_and_all_is_there(stack):
    with clients(stack, "restart") as load:
        wait_for_writes(load, 200, statuses=(200, 201))
    secrets = {one.name: one.read_text() for one in (stack.data / "secrets").iterdir()}
    begun = time.monotonic()
    stack.stop()
    stopped = time.monotonic()
    assert stack.left_behind().keys() <= {"image"}
    stack.start()
    print(f"stopped within {stopped - begun:.0f} s, started again within {time.monotonic() - stopped:.0f} s")
    converged(load, stack.front(), CONVERGED_SECONDS)
    assert {one.name: one.read_text() for one in (stack.data / "secrets").iterdir()} == secrets


def test_start_names_the_addresses_and_where_the_passwords_are(stack):
    welcome = stack.start()
    for wanted in (f"http://127.0.0.1:{stack.port}/store", f"http://127.0.0.1:{stack.port}/swagger-ui/index.html",
                   f"http://127.0.0.1:{stack.console}", f"cat {stack.data}/secrets/rabbitmq-operator"):
        assert wanted in welcome
    with urllib.request.urlopen(f"http://127.0.0.1:{stack.port}/swagger-ui/index.html", timeout=60) as response:
        assert response.status == 200
