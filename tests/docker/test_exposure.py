"""Nothing in the containers is more open than it has to be."""
import json
import stat
import subprocess
import urllib.error
import urllib.request
from base64 import b64encode

import pytest

from cluster.settings import ROOT
from containers.layout import ONE_SHOTS
from docker_engine import docker


def test_published_ports_are_the_named_ones_on_loopback(stack):
    found = sorted((binding["HostIp"], int(binding["HostPort"])) for one in stack.inspect()
                   for bindings in (one["NetworkSettings"]["Ports"] or {}).values() for binding in bindings or [])
    wanted = [("127.0.0.1", stack.port), ("127.0.0.1", stack.console)]
    if stack.store == "cockroach":
        wanted.append(("127.0.0.1", stack.cockroach))
    assert found == sorted(wanted)


def test_nobody_is_root_and_nothing_can_be_changed(stack):
    for one in stack.inspect():
        name, host = one["Name"], one["HostConfig"]
        assert one["Config"]["User"].split(":")[0] not in ("", "0", "root"), name
        assert host["ReadonlyRootfs"] and host["CapDrop"] == ["ALL"] and not host["CapAdd"] and not host["Privileged"], name
        assert "no-new-privileges:true" in host["SecurityOpt"], name
        assert host["PidsLimit"] and host["Memory"], name
        service = one["Config"]["Labels"]["com.docker.compose.service"]
        assert service in ONE_SHOTS or host["RestartPolicy"]["Name"] == "unless-stopped", name


def test_no_process_is_root(stack):
    """As the kernel says, not the configuration."""
    for one in stack.running():
        users = docker("top", one["id"], "-eo", "pid,uid").stdout.split()[3::2]
        assert users and "0" not in users, f"{one['name']}: {users}"


def test_only_the_edge_has_a_way_out(stack):
    networks = json.loads(docker("network", "inspect", *(f"{stack.project}_{name}" for name in ("edge", "app", "data"))).stdout)
    assert [one["Internal"] for one in networks] == [False, True, True]
    at_the_edge = {one["Config"]["Labels"]["com.docker.compose.service"] for one in stack.inspect()
                   if f"{stack.project}_edge" in one["NetworkSettings"]["Networks"]}
    assert at_the_edge <= {"nginx", "haproxy", "cockroach-1", "cockroach-2", "cockroach-3"}


def console(stack, user, password):
    request = urllib.request.Request(f"http://127.0.0.1:{stack.console}/api/whoami",
                                     headers={"Authorization": "Basic " + b64encode(f"{user}:{password}".encode()).decode()})
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            return response.status
    except urllib.error.HTTPError as error:
        return error.code


def test_no_default_password_of_the_broker(stack):
    assert console(stack, "operator", stack.secret("rabbitmq-operator")) == 200
    for user, password in (("guest", "guest"), ("operator", ""), ("armazem", "armazem"), ("operator", "operator")):
        assert console(stack, user, password) == 401, user


def test_no_default_password_of_the_cache(stack):
    def ping(*options, **more):
        return stack.inside("redis-1", "redis-cli", "--no-auth-warning", *options, "ping", **more)[1]
    assert "PONG" in ping("--user", "operator", env=[f"REDISCLI_AUTH={stack.secret('redis-operator')}"])
    assert "NOAUTH" in ping() or "NOPERM" in ping()
    for user in ("default", "operator", "armazem"):
        for password in ("redis", user):
            assert "PONG" not in ping("--user", user, "--pass", password), user


def test_no_default_password_of_the_store(stack):
    if stack.store != "postgres":
        pytest.skip("not run: CockroachDB takes certificates, and no passwords of the network's")

    def ask(user, password):
        return stack.inside("postgres", "psql", "-h", "127.0.0.1", "-U", user, "-d", "postgres", "-c", "SELECT 1", env=[f"PGPASSWORD={password}"])
    assert ask("operator", stack.secret("postgres-operator"))[0] == 0
    for user in ("operator", "armazem", "postgres"):
        code, text = ask(user, user)
        assert code != 0 and "password authentication failed" in text, text


def test_secrets_are_random_private_and_not_in_the_environment(stack):
    files = list((stack.data / "secrets").iterdir())
    words = [one.read_text() for one in files]
    assert len(set(words)) == len(words) >= 8 and all(len(word) >= 32 for word in words)
    assert all(stat.S_IMODE(one.stat().st_mode) == 0o600 for one in files)
    for one in stack.inspect():
        shown = " ".join([*one["Config"]["Env"], *(one["Config"]["Cmd"] or []), *(one["Config"]["Entrypoint"] or [])])
        assert not any(word in shown for word in words), one["Name"]
    ignored = subprocess.run(["git", "-C", ROOT, "check-ignore", "-q", "data-docker/secrets/x"], timeout=60)
    assert ignored.returncode in (0, 128), "Git would take the secrets in"  # 128: a copy without Git


def test_image_is_small_and_has_no_compiler(stack):
    size = int(docker("image", "inspect", "-f", "{{.Size}}", stack.image).stdout)
    print(f"image: {size / 1e6:.0f} MB")
    assert size < 150e6
    found = docker("run", "--rm", "--network", "none", "--entrypoint", "sh", stack.image, "-c", "command -v gcc cc g++ clang make curl; id -u")
    assert found.stdout.split() == ["10001"]
