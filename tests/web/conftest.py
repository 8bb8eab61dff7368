"""What the web tests need besides the server (whose fixture is in ../conftest.py): tools from npm, a place for pictures."""
import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent


@pytest.fixture(scope="session")
def node_tools():
    """tests/web/node_modules as the lock file says, installed again only when the lock file has changed."""
    node = shutil.which("node")
    npm = shutil.which("npm")
    assert node and npm, "the web tests need node and npm"
    lock = hashlib.sha256((HERE / "package-lock.json").read_bytes()).hexdigest()
    stamp = HERE / "node_modules" / ".armazem-lock"
    if not stamp.exists() or stamp.read_text() != lock:
        done = subprocess.run([npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=HERE,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        assert done.returncode == 0, f"npm ci failed:\n{done.stdout}"
        stamp.write_text(lock)
    return HERE / "node_modules"


@pytest.fixture(scope="session")
def run_node(node_tools):
    """Runs a script of this folder with node: (exit code, everything it printed)."""
    # Neither tool may look for a newer version of itself or report that it was used.
    quiet = {**os.environ, "REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true", "NO_COLOR": "1"}

    def run(script, *args, stdin=None, seconds=180):
        done = subprocess.run(["node", str(HERE / script), *map(str, args)], cwd=HERE, env=quiet, input=stdin,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=seconds)
        return done.returncode, done.stdout
    return run


@pytest.fixture(scope="session")
def screenshots():
    """Where pictures go: ARMAZEM_SCREENSHOT_DIR, kept; else a directory of ours, removed."""
    kept = os.environ.get("ARMAZEM_SCREENSHOT_DIR")
    if kept:
        Path(kept).mkdir(parents=True, exist_ok=True)
        yield Path(kept).resolve()
        return
    with tempfile.TemporaryDirectory(prefix="armazem-screenshots-") as scratch:
        yield Path(scratch)
