"""Starts, stops, kills and restarts the server under test; knows how to fail with its log in hand."""
import json
import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

from support.wait import SCALE, SLOW

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 60 if SLOW else 20
STOP_SECONDS = 20 * SCALE
SANITIZER_MARKS = (
    "ERROR: AddressSanitizer",
    "runtime error:",
    "WARNING: ThreadSanitizer",
    "LeakSanitizer",
)


class StartFailed(AssertionError):
    pass


def binary():
    # Absolute, because the disk-full test enters another mount namespace, which changes the working directory.
    path = Path(os.environ.get("ARMAZEM_BIN", ROOT / "build/release/bin/armazem")).absolute()
    assert os.access(path, os.X_OK), f"no executable at {path}: build first or set ARMAZEM_BIN"
    return str(path)


def child_environment(extra=None):
    """Ours without ARMAZEM_*: those steer the tests, and the server refuses settings it doesn't know."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("ARMAZEM_")}
    return {**clean, **(extra or {})}


def assert_no_sanitizer_report(log):
    for mark in SANITIZER_MARKS:
        assert mark not in log, f"sanitizer report in the server's log:\n{log[-8000:]}"


def run_to_exit(*args, env=None, seconds=20, prefix=()):
    """Runs the binary expecting it to end by itself: (exit code, everything it printed)."""
    try:
        done = subprocess.run(
            [*prefix, binary(), *map(str, args)],
            env=child_environment(env), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=seconds * SCALE,
        )
    except subprocess.TimeoutExpired as late:
        raise AssertionError(f"did not end by itself: {args}\n{(late.output or b'').decode('utf-8', 'replace')}")
    printed = done.stdout.decode("utf-8", "replace")
    assert_no_sanitizer_report(printed)
    return done.returncode, printed


class External:
    """A server somebody else runs (ARMAZEM_URL): it can be spoken to, not started or stopped."""

    owned = False

    def __init__(self, url):
        parts = urlsplit(url)
        assert parts.scheme == "http" and parts.hostname, f"ARMAZEM_URL must be http://host:port, not {url!r}"
        self.address = (parts.hostname, parts.port or 80)

    def log(self):
        return "(external server: its log is not ours)"

    def close(self):
        pass


class Server:
    owned = True

    def __init__(self, *args, data=None, env=None, prefix=()):
        """`prefix` is a command that execs the server in its place (nsenter), so that the pid stays the server's."""
        self.scratch = Path(tempfile.mkdtemp(prefix="armazem-test-"))
        self.data = Path(data) if data else self.scratch / "data"
        if data is None:
            self.data.mkdir()
        self.args = [str(arg) for arg in args]
        self.env = env
        self.prefix = list(prefix)
        self.process = None
        self.lines = []
        self.address = None

    def start(self, port=0):
        """On a free port unless one is named. Returns after the `listening` line; the time that took is in .start_seconds."""
        command = [*self.prefix, binary(), "serve", "--port", str(port), "--log-format", "json",
                   "--data", str(self.data), *self.args]
        begun = time.monotonic()
        self.address = None
        self.listening = threading.Event()
        self.process = subprocess.Popen(
            command, env=child_environment(self.env), stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        )
        self.reader = threading.Thread(target=self._read_log, args=(self.process.stderr,), daemon=True)
        self.reader.start()
        if not self.listening.wait(START_SECONDS) or self.address is None:
            code = self.process.poll()
            self._end_process()
            raise StartFailed(f"no `listening` line (exit code {code}): {command}\n{self.log()}")
        self.start_seconds = time.monotonic() - begun
        return self

    def _read_log(self, stream):
        for line in stream:
            text = line.decode("utf-8", "replace").rstrip("\n")
            self.lines.append(text)
            if self.address is None and '"listening"' in text:
                self._notice_listening(text)
        self.listening.set()  # the end of the log: the process is gone, nobody need wait longer

    def _notice_listening(self, text):
        try:
            record = json.loads(text)
        except ValueError:
            return
        if record.get("msg") == "listening":
            self.address = (record["address"], record["port"])
            self.listening.set()

    @property
    def pid(self):
        return self.process.pid

    def running(self):
        return self.process is not None and self.process.poll() is None

    def log(self):
        return "\n".join(self.lines)

    def log_tail(self, lines=60):
        return "\n".join(self.lines[-lines:])

    def _end_process(self):
        if self.running():
            self.process.kill()
        self.process.wait()
        self.reader.join(timeout=5)
        self.process.stderr.close()

    def terminate(self):
        os.kill(self.pid, signal.SIGTERM)

    def wait_exit(self):
        """The exit code after a SIGTERM; a server that does not end in time is a failure."""
        try:
            code = self.process.wait(timeout=STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._end_process()
            raise AssertionError(f"still running {STOP_SECONDS} s after SIGTERM\n{self.log_tail()}")
        self._end_process()
        assert_no_sanitizer_report(self.log())
        return code

    def stop(self):
        self.terminate()
        code = self.wait_exit()
        assert code == 0, f"exit code {code} after SIGTERM\n{self.log_tail()}"

    def kill(self):
        """kill -9, and back only when the process is gone."""
        os.kill(self.pid, signal.SIGKILL)
        self._end_process()
        assert_no_sanitizer_report(self.log())

    def restart(self):
        """A new process on the same data directory, on another free port."""
        assert not self.running()
        return self.start()

    def close(self):
        try:
            if self.running():
                self.stop()
        finally:
            if "ARMAZEM_KEEP_DATA" in os.environ:  # for looking at a failure
                print(f"kept: {self.scratch}")
            else:
                shutil.rmtree(self.scratch, ignore_errors=True)
