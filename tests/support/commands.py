"""Client commands of the program, run as a user does."""
import json
import subprocess

from support.server import assert_no_sanitizer_report, binary, child_environment
from support.wait import SCALE

RUN_SECONDS = 120 * SCALE  # bounds what hangs; no run takes long on a machine that is not loaded


class Done:
    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err

    def json(self):
        return json.loads(self.out)

    def __repr__(self):
        return f"exit code {self.code}\n{self.out}\n{self.err}"


def url_of(server):
    return f"http://{server.address[0]}:{server.address[1]}"


def start(*args, stderr=subprocess.PIPE):
    return subprocess.Popen([binary(), *map(str, args)], env=child_environment(), stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=stderr, text=True)


def finish(process):
    """What it printed, when it has ended by itself."""
    try:
        out, err = process.communicate(timeout=RUN_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        out, err = process.communicate()
        raise AssertionError(f"did not end by itself: {process.args}\n{out}\n{err}") from None
    assert_no_sanitizer_report(err or "")
    return Done(process.returncode, out, err)
