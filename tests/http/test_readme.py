"""The commands of the README give what the README shows; only versions, dates and request ids may differ."""
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
READMES = ["README.md", "README.pt.md"]
# What differs from run to run, as it stands in the README.
VARIABLE = [
    (r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}", "VERSION"),
    (r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT", "DATE"),
    (r'"request_id":"[0-9a-f]{16}"', '"request_id":"ID"'),
]


def sessions(readme):
    """[(command, shown output)] in its order."""
    found = []
    for block in re.findall(r"^```console\n(.*?)^```$", (ROOT / readme).read_text("utf-8"), re.MULTILINE | re.DOTALL):
        for step in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = step.partition("\n")
            found.append((command, output))
    return found


def plain(text):
    for pattern, word in VARIABLE:
        text = re.sub(pattern, word, text)
    return text.replace("\r", "").strip()


@pytest.mark.parametrize("readme", READMES)
def test_the_readme_has_commands(readme):
    assert len(sessions(readme)) >= 5


@pytest.mark.parametrize("readme", READMES)
def test_commands_give_what_is_shown(start_server, readme):
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    server = start_server()
    host, port = server.address
    for command, shown in sessions(readme):
        here = re.sub(r"(localhost|127\.0\.0\.1):8000", f"{host}:{port}", command).replace("curl ", "curl -s ", 1)
        done = subprocess.run(["bash", "-c", here], capture_output=True, text=True, timeout=20)
        assert plain(done.stdout) == plain(shown), command
