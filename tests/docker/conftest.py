"""One stack for all tests of this folder, or the reason why there is none. Each test gets it well, and leaves it to heal."""
import contextlib
import secrets

import pytest

from docker_engine import NotHere, docker, engine, ensure_images, server_image
from docker_stack import Stack
from support.scratch import scratch_directory
from support.server import binary


@pytest.fixture(scope="session")
def say(pytestconfig):
    """Into the output of every run: which images were tested is part of the result."""
    capture = pytestconfig.pluginmanager.getplugin("capturemanager")

    def out(text):
        with capture.global_and_fixture_disabled():
            print(f"\n{text}", end="", flush=True)
    return out


@pytest.fixture(scope="session")
def docker_engine():
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(engine())
        except NotHere as why:
            pytest.skip(f"not run: {why}")
        yield


@pytest.fixture(scope="session")
def running_stack(docker_engine, say):
    name = f"test-{secrets.token_hex(3)}"
    image = f"armazem-{name}"
    with scratch_directory() as path:
        try:
            used, has_cockroach = ensure_images(say)
            server_image(image, binary(), used["BASE_IMAGE"], say)
        except NotHere as why:
            pytest.skip(f"not run: {why}")
        images = path / "images.env"
        images.write_text("".join(f"{variable}={value}\n" for variable, value in used.items()))
        stack = Stack(path / name, image, images, "cockroach" if has_cockroach else "postgres")
        try:
            say(stack.start())
            yield stack
        finally:
            if stack.data.exists():
                stack.stop("--wipe")
            docker("image", "rm", image, check=False)
        assert stack.left_behind() == {}
        assert not stack.data.exists()


@pytest.fixture
def stack(running_stack):
    running_stack.wait_until_healthy()
    return running_stack


@pytest.fixture(autouse=True)
def show_figures(capsys):
    yield
    text = capsys.readouterr().out
    if text:
        with capsys.disabled():
            print("\n" + text, end="")
