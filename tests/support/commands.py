"""Client commands of the program, run as a user does."""
import json
import os
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


def read_terminal(descriptor):
    """What was shown on a pseudo-terminal whose other side is closed."""
    shown = b""
    while True:
        try:
            piece = os.read(descriptor, 65536)
        except OSError:  # EIO: all is read, and the other side closed
            return shown
        if not piece:
            return shown
        shown += piece


def start(*args, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=None, text=True):
    return subprocess.Popen([binary(), *[arg if isinstance(arg, bytes) else str(arg) for arg in args]],
                            env=child_environment(env), stdin=stdin, stdout=stdout, stderr=stderr, text=text)


def finish(process, given=None):
    """What it printed, when it has ended by itself; `given` goes to its standard input."""
    try:
        out, err = process.communicate(given, timeout=RUN_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        out, err = process.communicate()
        raise AssertionError(f"did not end by itself: {process.args}\n{out}\n{err}") from None
    assert_no_sanitizer_report(err.decode("utf-8", "replace") if isinstance(err, bytes) else err or "")
    return Done(process.returncode, out, err)
