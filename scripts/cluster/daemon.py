"""One supervised process: in a session of its own, known by its pid file, stopped politely and then for sure."""
import os
import signal
import subprocess
import threading

from cluster import processes
from cluster.waiting import TimedOut, until

# Children of this very process: to be reaped by us, or a killed daemon would stay a zombie and hold its lock files.
_children = {}
_children_lock = threading.Lock()


class Daemon:
    """Any process may call these: what is true stands in the pid file and in /proc, not in this object."""

    def __init__(self, name, pid_file, log):
        self.name = name
        self.pid_file = pid_file
        self.log = log

    def identity(self):
        """Who was started last, running or not; None when nobody was."""
        return processes.Identity.read(self.pid_file)

    def running(self):
        """The pid, or None."""
        identity = self.identity()
        if identity is None:
            return None
        self._reap(identity.pid)
        return identity.pid if identity.runs() else None

    def start(self, command, environment, directory):
        """The command must stay in the foreground and exec, so that its pid is the daemon's own. A session of its own
        keeps Ctrl-C and a closed terminal away from it."""
        with self.open_log() as log:
            child = subprocess.Popen(
                command, env=environment, cwd=directory, start_new_session=True,
                stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
            )
        with _children_lock:
            _children[child.pid] = child
        # The child cannot vanish from /proc before it is reaped, so its start time can always be read.
        processes.Identity.of(child.pid).write(self.pid_file)
        return child.pid

    def open_log(self):
        """For appending; only the owner may read it."""
        return open(self.log, "ab", opener=_private)

    def stop(self, number=signal.SIGTERM, seconds=30, say=print):
        """SIGCONT first, because a paused process does not see the other signal. True when it went by itself."""
        identity = self.identity()
        if identity is None:
            return True
        polite = True
        if identity.runs():
            identity.signal_family(signal.SIGCONT)
            identity.signal(number)
            try:
                until(lambda: not self.running(), seconds, f"{self.name} to end")
            except TimedOut:
                polite = False
                say(f"{self.name} did not end within {seconds} s of {signal.Signals(number).name}: SIGKILL")
        self._end_family(identity)
        self.pid_file.unlink(missing_ok=True)
        return polite

    def kill(self):
        """kill -9 of the process and everything below it; back when they are gone. The pid file stays: a crash does
        not tidy up either."""
        identity = self.identity()
        if identity is not None:
            self._end_family(identity)

    def pause(self):
        """SIGSTOP: alive for the kernel, which still accepts connections for it, and silent for everybody else."""
        self._require_running().signal_family(signal.SIGSTOP)
        until(self.paused, 10, f"{self.name} to be paused")

    def resume(self):
        self._require_running().signal_family(signal.SIGCONT)
        until(lambda: not self.paused(), 10, f"{self.name} to be resumed")

    def paused(self):
        identity = self.identity()
        return identity is not None and processes.is_paused(identity)

    def log_tail(self, lines=25):
        try:
            with open(self.log, "rb") as log:
                log.seek(max(0, os.path.getsize(self.log) - 64 * 1024))
                return log.read().decode("utf-8", "replace").splitlines()[-lines:]
        except OSError:
            return []

    def _require_running(self):
        if not self.running():
            raise RuntimeError(f"{self.name} is not running")
        return self.identity()

    def _end_family(self, identity):
        def gone():
            identity.signal_family(signal.SIGKILL)  # again: a dying parent may have forked meanwhile
            self._reap(identity.pid)
            return not processes.family_of(identity)
        until(gone, 20, f"{self.name} to be gone after SIGKILL", every=0.02)

    @staticmethod
    def _reap(pid):
        with _children_lock:
            child = _children.get(pid)
            if child is not None and child.poll() is not None:
                del _children[pid]


def _private(path, flags):
    return os.open(path, flags, 0o600)
