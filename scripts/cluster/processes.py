"""What the kernel says about processes, and who is still the process we started.

A pid alone proves nothing: pids are used again. The pair (pid, start time) names one process for as long as the machine
runs, so that is what pid files hold, and nothing is ever signalled unless both still match.
"""
import os
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")


@dataclass(frozen=True)
class Stat:
    """The fields of /proc/PID/stat that matter here (proc(5)); started is in clock ticks since boot."""

    pid: int
    state: str
    parent: int
    session: int
    started: int


def stat_of(pid):
    """None when there is no such process."""
    try:
        text = (PROC / str(pid) / "stat").read_text()
    except OSError:
        return None
    # The command name (field 2) may hold blanks and parentheses: the fields begin behind the last one.
    fields = text[text.rindex(")") + 2:].split()
    return Stat(int(pid), fields[0], int(fields[1]), int(fields[3]), int(fields[19]))


def all_stats():
    found = (stat_of(entry.name) for entry in PROC.iterdir() if entry.name.isdigit())
    return [stat for stat in found if stat]


def is_dead(stat):
    """A zombie has ended already; it only waits for its parent to look."""
    return stat is None or stat.state in "ZX"


def family_of(identity):
    """Pids of the process, of its descendants, and of what is left of its session when the process itself is gone
    (NGINX's workers outlive a killed master and keep its port)."""
    stats = [stat for stat in all_stats() if not is_dead(stat)]
    leader = next((stat for stat in stats if stat.pid == identity.pid), None)
    if leader and leader.started != identity.started:
        return []  # the pid belongs to somebody else now, and so may the session of that number
    family = {identity.pid} if leader else set()
    family |= {stat.pid for stat in stats if stat.session == identity.pid and stat.started >= identity.started}
    while True:
        more = {stat.pid for stat in stats if stat.parent in family} - family
        if not more:
            return sorted(family)
        family |= more


@dataclass(frozen=True)
class Identity:
    """One process for ever: what a pid file holds."""

    pid: int
    started: int

    @classmethod
    def of(cls, pid):
        stat = stat_of(pid)
        return cls(pid, stat.started) if stat else None

    @classmethod
    def read(cls, path):
        """None when the file is missing or no pid file."""
        try:
            pid, started = path.read_text().split()
            return cls(int(pid), int(started))
        except (OSError, ValueError):
            return None

    def write(self, path):
        path.write_text(f"{self.pid} {self.started}\n")

    def runs(self):
        stat = stat_of(self.pid)
        return not is_dead(stat) and stat.started == self.started

    def signal(self, number):
        """Only the process itself. Gone already is no error: that is what the signal was for."""
        if self.runs():
            send(self.pid, number)

    def signal_family(self, number):
        """The process first, so that a parent can't replace the children that are being stopped."""
        members = family_of(self)
        for pid in sorted(members, key=lambda pid: pid != self.pid):
            send(pid, number)


def send(pid, number):
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


def memory_of(identity):
    """Bytes of the whole family, shared pages counted once (PSS)."""
    total = 0
    for pid in family_of(identity):
        try:
            for line in (PROC / str(pid) / "smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1]) * 1024
        except OSError:
            pass
    return total


def is_paused(identity):
    stat = stat_of(identity.pid)
    return identity.runs() and stat is not None and stat.state == "T"
