"""The examples of examples/ do what their README says, each with its own language's client."""
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from support.wait import SCALE

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
LANGUAGES = {
    "python": ("python3", ["python3", EXAMPLES / "python/store.py"]),
    "javascript": ("node", ["node", EXAMPLES / "javascript/store.mjs"]),
    "java": ("javac", ["java", EXAMPLES / "java/Store.java"]),
}


def expected(language):
    prefix = f"example/{language}"
    return [
        f"put: 201 {prefix}/greeting", "get: Olá", "changed: 200", "too late: 412 urn:armazem:problem:precondition-failed",
        "batch: 201 201 201", f"page: {prefix}/0 {prefix}/1", f"page: {prefix}/2 {prefix}/greeting", "delete: 204",
        *[f"event: put {prefix}/{key}" for key in ("greeting", "greeting", "0", "1", "2")], f"event: delete {prefix}/greeting",
    ]


@pytest.mark.parametrize("language", LANGUAGES)
def test_example(start_server, language):
    runtime, command = LANGUAGES[language]
    if shutil.which(runtime) is None:
        pytest.skip(f"{runtime} is not installed")
    server = start_server()
    host, port = server.address
    done = subprocess.run([str(word) for word in command] + [f"http://{host}:{port}"], text=True, capture_output=True,
                          timeout=60 * SCALE, env={**os.environ, "PYTHONIOENCODING": "utf-8", "JAVA_TOOL_OPTIONS": ""})
    assert done.returncode == 0, done.stdout + done.stderr
    lines = [re.sub(r"[\[\]',]", "", line) for line in done.stdout.splitlines()]
    assert [line for line in lines if not line.startswith("event: put")] == \
        [line for line in expected(language) if not line.startswith("event: put")]
    assert sorted(lines) == sorted(expected(language))
