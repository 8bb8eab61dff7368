"""Requests that a public tool (Schemathesis) makes of openapi.json: well-formed, at the edges, and wrong. No answer is a 5xx, and none
is undocumented in status, media type or schema. ARMAZEM_PROPERTY_EXAMPLES makes it longer."""
import os
import subprocess
import sys
from pathlib import Path

import pytest

from support.wait import SCALE

TOOL = "schemathesis==4.32.5"
VENV = Path(__file__).resolve().parents[2] / "build" / "schemathesis"
EXAMPLES = os.environ.get("ARMAZEM_PROPERTY_EXAMPLES", "40")
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"


@pytest.fixture(scope="module")
def tool():
    program = VENV / "bin" / "schemathesis"
    if not program.exists():
        try:
            subprocess.run([sys.executable, "-m", "venv", VENV], check=True, timeout=120, capture_output=True)
            subprocess.run([VENV / "bin" / "pip", "install", "--quiet", TOOL], check=True, timeout=600, capture_output=True, text=True)
        except (OSError, subprocess.SubprocessError) as failure:
            pytest.skip(f"not run: {TOOL} could not be installed: {getattr(failure, 'stderr', None) or failure}")
    return program


def test_every_answer_is_as_documented(start_server, tool, tmp_path):
    server = start_server()
    host, port = server.address
    # A watch has no end; test_watch.py and test_openapi.py are about it.
    done = subprocess.run(
        [tool, "run", f"http://{host}:{port}/openapi.json", "--checks", CHECKS, "--phases", "examples,coverage,fuzzing",
         "--max-examples", EXAMPLES, "--exclude-path", "/watch", "--request-timeout", "30", "--seed", "20261125", "--no-color"],
        cwd=tmp_path, capture_output=True, text=True, timeout=600 * SCALE)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert "generated" in done.stdout, done.stdout[-2000:]
    print(*[line for line in done.stdout.splitlines() if "generated" in line], sep="\n")
