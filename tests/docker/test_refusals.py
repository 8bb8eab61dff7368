"""What ./start.sh --docker says where it cannot do it: one sentence with what to do, nothing started, no trace back."""
import os
import shutil
import socket
import sys

from cluster.settings import ROOT
from docker_stack import free_ports, run_script


def refused(*options, env=None):
    code, text = run_script("start.sh", *options, env=env)
    assert code == 1 and "error: " in text and "Traceback" not in text, text
    return text


def test_no_docker(tmp_path):
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, program in {"bash": shutil.which("bash"), "dirname": shutil.which("dirname"), "python3": sys.executable}.items():
        (programs / name).symlink_to(os.path.realpath(program))
    assert "docker is not installed" in refused("--data", tmp_path / "d", env={**os.environ, "PATH": str(programs)})


def test_engine_not_running(docker_engine, tmp_path):
    env = {**os.environ, "DOCKER_HOST": f"unix://{tmp_path}/none.sock"}
    assert "engine does not answer" in refused("--data", tmp_path / "d", env=env)


def test_port_taken(docker_engine, tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        text = refused("--data", tmp_path / "d", "--port", port)
    assert f"port {port} cannot be used" in text and "--port N" in text


def test_image_that_cannot_be_pulled(docker_engine, tmp_path):
    port, console, closed = free_ports(3)
    public = (ROOT / "deploy/images.env").read_text().splitlines()
    (tmp_path / "images").write_text("\n".join(f"{line.split('=')[0]}=127.0.0.1:{closed}/none:1" for line in public if "=" in line))
    text = refused("--data", tmp_path / "d", "--store", "postgres", "--port", port, "--rabbitmq-console", console, "--images", tmp_path / "images")
    assert "cannot be pulled" in text and "--images FILE" in text
