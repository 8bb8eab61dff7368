"""Where the processors' time went: to the server under test, to everybody else; and whether the machine is calm."""
import os
import resource
import time
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")


def groups_seconds(groups):
    """CPU seconds used so far by all living processes of the given process groups."""
    wanted, total = set(groups), 0
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except (OSError, UnicodeDecodeError):
            continue  # it ended meanwhile
        if int(fields[2]) in wanted:
            total += int(fields[11]) + int(fields[12])  # utime, stime: proc(5)
    return total / TICK


def machine_seconds():
    """CPU seconds spent in programs, all processors together; interrupts are left out, they belong to nobody."""
    user, nice, system, _idle, _iowait, _irq, _softirq, steal = map(
        int, Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9])
    return (user + nice + system + steal) / TICK


def children_seconds():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


class Meter:
    """Between start and stop: the CPU time of the server's groups, and the share of the machine taken by strangers."""

    def __init__(self, server_groups, our_groups):
        self.server_groups, self.our_groups = server_groups, our_groups

    def _look(self):
        own = os.times()
        return (time.monotonic(), groups_seconds(self.server_groups), groups_seconds(self.our_groups),
                children_seconds() + own.user + own.system, machine_seconds())

    def __enter__(self):
        self.before = self._look()
        return self

    def __exit__(self, *_):
        elapsed, server, ours, client, machine = (b - a for a, b in zip(self.before, self._look()))
        self.server_seconds = server
        capacity = elapsed * os.cpu_count()
        self.foreign_share = max(0.0, (machine - ours - client) / capacity) if capacity else 0.0


def settle(groups, limit_seconds, calm_share=0.05, window=0.5):
    """Waits until our servers have nothing left to do (compactions, snapshots); true when they came to rest in time."""
    end = time.monotonic() + limit_seconds
    while True:
        before = groups_seconds(groups)
        time.sleep(window)
        if groups_seconds(groups) - before <= calm_share * window:
            return True
        if time.monotonic() >= end:
            return False
