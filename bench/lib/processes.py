"""Every process that the benchmark starts, and the one place that ends them: by process group, in reverse order."""
import ctypes
import json
import os
import random
import shlex
import signal
import socket
import subprocess
import time

STOP_SECONDS = 20
PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


class Failed(Exception):
    """A measurement that could not be made; the text says why, with the log's end where there is one."""


def wait_until(probe, seconds, what, every=0.02):
    end = time.monotonic() + seconds
    while True:
        result = probe()
        if result:
            return result
        if time.monotonic() >= end:
            raise Failed(f"not within {seconds} s: {what}")
        time.sleep(every)


def free_port():
    """Below the ephemeral range, so that no outgoing connection takes it between this look and the server's bind."""
    for _ in range(200):
        port = random.randint(12000, 30000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    raise Failed("no free port between 12000 and 30000")


def _die_with_parent():
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


class Process:
    def __init__(self, name, command, log, env=None):
        self.name, self.command, self.log_path = name, [str(word) for word in command], log
        with open(log, "wb") as output:
            self.popen = subprocess.Popen(
                self.command, env=env, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                start_new_session=True, preexec_fn=_die_with_parent,
            )
        self.pid = self.popen.pid  # also the process group's id

    def ended(self):
        """Looks without reaping: a zombie leader keeps the group's id from being given to anybody else."""
        if self.popen.returncode is not None:
            return True
        return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is not None

    def log(self):
        return self.log_path.read_text("utf-8", "replace")

    def failure(self, what):
        tail = "\n".join(self.log().splitlines()[-15:])
        return Failed(f"{self.name}: {what}\n  command: {shlex.join(self.command)}\n{tail}")

    def wait(self, seconds):
        """The exit code; too late is a failure."""
        end = time.monotonic() + seconds
        while not self.ended():
            if time.monotonic() >= end:
                raise self.failure(f"still running after {seconds} s")
            time.sleep(0.01)
        self._end_group()
        return self.popen.returncode

    def wait_ready(self, probe, seconds=20):
        def look():
            if self.ended():
                raise self.failure("ended while starting")
            return probe()

        try:
            return wait_until(look, seconds, f"{self.name} ready")
        except Failed as late:
            raise self.failure(str(late)) if str(late).startswith("not within") else late

    def stop(self):
        if self.popen.returncode is not None:
            return
        try:
            os.killpg(self.pid, signal.SIGTERM)
            end = time.monotonic() + STOP_SECONDS
            while not self.ended() and time.monotonic() < end:
                time.sleep(0.01)
        finally:
            self._end_group()

    def _end_group(self):
        try:
            os.killpg(self.pid, signal.SIGKILL)  # what outlived the leader; the leader is not yet reaped
        except ProcessLookupError:
            pass
        self.popen.wait()


class Processes:
    """Owns the scratch directory's processes; leaving the `with` block ends them all."""

    def __init__(self, scratch):
        self.scratch = scratch
        self.running = []
        self.started = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop_all()

    def start(self, name, command, env=None):
        self.started += 1
        process = Process(name, command, self.scratch / f"{self.started:03}-{name}.log", env)
        self.running.append(process)
        return process

    def stop(self, process):
        try:
            process.stop()
        finally:
            self.running.remove(process)

    def stop_all(self):
        for process in reversed(self.running[:]):
            self.stop(process)

    def run(self, name, command, seconds, env=None):
        """Runs a command to its end and returns what it printed; any exit code but 0 is a failure."""
        process = self.start(name, command, env)
        try:
            code = process.wait(seconds)
            if code != 0:
                raise process.failure(f"exit code {code}")
            return process.log()
        finally:
            self.stop(process)


def last_json_object(text, mark=""):
    """The last line that is `mark` and a JSON object."""
    for line in reversed(text.splitlines()):
        if line.startswith(mark + "{"):
            try:
                return json.loads(line[len(mark):])
            except ValueError:
                continue
    raise Failed(f"no JSON result in:\n{text[-2000:]}")
