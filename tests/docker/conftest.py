"""One stack for all tests of this folder, or the reason why there is none."""
import socket

import pytest

from docker_engine import Engine, NotHere, ensure_images, server_image
from docker_stack import Stack
from support.scratch import scratch_directory
from support.server import binary


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


@pytest.fixture(scope="session")
def stack(pytestconfig):
    capture = pytestconfig.pluginmanager.getplugin("capturemanager")

    def say(text):
        with capture.global_and_fixture_disabled():
            print(f"\n{text}", end="", flush=True)
    try:
        with Engine(), scratch_directory() as path:
            used, has_cockroach = ensure_images(say)
            image = server_image(binary(), used["BASE_IMAGE"], say)
            images = path / "images.env"
            images.write_text("".join(f"{name}={value}\n" for name, value in used.items()))
            made = Stack(path / "data", free_ports(3), image, images, "cockroach" if has_cockroach else "postgres")
            try:
                say(made.start())
                yield made
            finally:
                if made.deployment:
                    made.stop("--wipe")
    except NotHere as why:
        pytest.skip(f"not run: {why}")


@pytest.fixture(autouse=True)
def show_figures(capsys):
    yield
    text = capsys.readouterr().out
    if text:
        with capsys.disabled():
            print("\n" + text, end="")
