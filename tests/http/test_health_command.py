"""`armazem health`: what a container's health check runs."""
import subprocess

import pytest

from support.http_raw import RawConnection, request_bytes
from support.server import binary, child_environment
from support.wait import until


def health(address, *options):
    host, port = address
    command = [binary(), "health", "--listen", host, "--port", str(port), *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, env=child_environment())


def test_ready(own_server):
    done = health(own_server.address)
    assert done.returncode == 0 and done.stderr == "" and '"status":"ready"' in done.stdout, done


def test_who_listens_everywhere_is_asked_on_loopback(own_server):
    assert health(("0.0.0.0", own_server.address[1])).returncode == 0


def test_address_from_a_file(own_server, tmp_path):
    config = tmp_path / "armazem.toml"
    config.write_text(f'listen = "127.0.0.1"\nport = "{own_server.address[1]}"\nqueue-wait = "1s"\n')
    done = subprocess.run([binary(), "health", "--config", str(config)], capture_output=True, text=True, timeout=30, env=child_environment())
    assert done.returncode == 0, done


def test_not_ready(start_server):
    server = start_server("--drain", "10m")
    server.terminate()

    def not_ready():
        with RawConnection(server.address) as connection:
            return connection.exchange(request_bytes("GET", "/health/ready")).status == 503
    until(not_ready, 10, "not ready after SIGTERM")
    done = health(server.address)
    server.kill()
    assert done.returncode == 1 and '"status":"not-ready"' in done.stdout, done


def test_nobody_there(start_server):
    server = start_server()
    address = server.address
    server.stop()
    done = health(address)
    assert done.returncode == 1 and "nobody is well" in done.stderr and done.stdout == "", done


@pytest.mark.parametrize("wrong", [["--grace", "1s"], ["--port", "x"], ["now"]])
def test_wrong_use(wrong):
    done = subprocess.run([binary(), "health", *wrong], capture_output=True, text=True, timeout=30, env=child_environment())
    assert done.returncode == 2 and done.stderr, done
