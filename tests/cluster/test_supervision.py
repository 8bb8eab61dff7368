"""Processes: only what was started is ever signalled, a paused one can be stopped, a stubborn one is killed."""
import os
import signal
import subprocess
import sys

import pytest

from cluster.component import Component, ComponentFailed
from cluster.daemon import Daemon
from cluster.processes import Identity, family_of, stat_of
from cluster.settings import Settings
from support.wait import until

PATIENT = "import signal; print('up', flush=True); signal.pause()"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + PATIENT + "; signal.pause()"
# A parent with a child, like NGINX and its workers: the child outlives a killed parent.
PARENT = "import subprocess, sys; subprocess.Popen([sys.executable, '-c', 'import signal; signal.pause()']); " + PATIENT


@pytest.fixture
def start(scratch):
    daemons = []

    def begin(program, name="thing"):
        daemon = Daemon(name, scratch / f"{name}.pid", scratch / f"{name}.log")
        daemons.append(daemon)
        daemon.start([sys.executable, "-c", program], {}, scratch)
        until(lambda: daemon.log_tail() == ["up"], 20, "the process to be up")
        return daemon

    yield begin
    for daemon in daemons:
        daemon.stop(seconds=0, say=lambda text: None)


def test_start_and_stop(start):
    daemon = start(PATIENT)
    pid = daemon.running()
    assert stat_of(pid).session == pid, "a session of its own, or Ctrl-C would reach it"
    assert daemon.stop() is True
    assert daemon.running() is None and not daemon.pid_file.exists() and stat_of(pid) is None
    assert daemon.log.stat().st_mode & 0o777 == 0o600


def test_stopping_again_is_no_error(start):
    daemon = start(PATIENT)
    daemon.stop()
    assert daemon.stop() is True


def test_another_process_with_the_same_pid_is_left_alone(start):
    """The pid file of a process that ended, whose number somebody else has now."""
    daemon = start(PATIENT)
    daemon.stop()
    stranger = subprocess.Popen([sys.executable, "-c", PATIENT], start_new_session=True, stdout=subprocess.PIPE)
    try:
        stranger.stdout.readline()
        Identity(stranger.pid, Identity.of(stranger.pid).started - 1).write(daemon.pid_file)
        assert daemon.running() is None
        daemon.stop()
        daemon.kill()
        with pytest.raises(RuntimeError):
            daemon.pause()
        assert stranger.poll() is None and stat_of(stranger.pid).state in "SR"
    finally:
        stranger.kill()
        stranger.wait()
        stranger.stdout.close()


def test_a_paused_process_can_be_resumed_and_stopped(start):
    daemon = start(PATIENT)
    daemon.pause()
    assert daemon.paused() and daemon.running()
    daemon.resume()
    assert not daemon.paused()
    daemon.pause()
    assert daemon.stop(seconds=20) is True, "SIGTERM alone would wait for ever"


def test_who_ignores_sigterm_is_killed_and_that_is_said(start):
    said = []
    daemon = start(STUBBORN)
    assert daemon.stop(seconds=0.2, say=said.append) is False
    assert daemon.running() is None
    assert len(said) == 1 and "SIGKILL" in said[0] and "thing" in said[0]


def test_kill_takes_the_children_too(start):
    daemon = start(PARENT)
    family = family_of(daemon.identity())
    assert len(family) == 2
    daemon.kill()
    assert not daemon.running() and daemon.pid_file.exists(), "a crash doesn't tidy up"
    assert all(stat_of(pid) is None or stat_of(pid).state == "Z" for pid in family)


def test_children_that_outlived_their_parent_are_found(start):
    daemon = start(PARENT)
    parent, child = sorted(family_of(daemon.identity()), key=lambda pid: pid != daemon.running())
    os.kill(parent, signal.SIGKILL)
    until(lambda: not daemon.running(), 20, "the parent to be gone")
    assert family_of(daemon.identity()) == [child]
    daemon.stop()
    assert stat_of(child) is None or stat_of(child).state == "Z"


# Ends at each start until it has been started as often as its argument says.
WEAK = """import pathlib, signal, sys
starts = pathlib.Path('starts')
count = int(starts.read_text()) + 1 if starts.exists() else 1
starts.write_text(str(count))
if count < int(sys.argv[1]): sys.exit(1)
signal.pause()"""


class Weak(Component):
    relaunches = 2
    starts_needed = 0

    def listens(self):
        return {}

    def command(self):
        return [sys.executable, "-c", WEAK, str(self.starts_needed)]

    def problem(self):
        starts = self.home / "starts"
        return None if starts.exists() and starts.read_text() == str(self.starts_needed) else "not yet"


@pytest.mark.parametrize("starts_needed", [1, 3])
def test_a_process_that_gives_up_while_it_starts_is_launched_again(scratch, starts_needed):
    weak = make_weak(scratch, starts_needed)
    try:
        weak.launch()
        weak.wait(weak.problem, 20)
        assert weak.running()
    finally:
        weak.stop(say=lambda text: None)


def test_and_not_for_ever(scratch):
    weak = make_weak(scratch, 4)
    weak.launch()
    with pytest.raises(ComponentFailed, match="the process ended"):
        weak.wait(weak.problem, 20)
    assert (weak.home / "starts").read_text() == "3"


def make_weak(scratch, starts_needed):
    settings = Settings.make(scratch / "data", free_ports=True, sql="postgres")
    settings.make_directories()
    weak = Weak(settings, "weak")
    weak.starts_needed = starts_needed
    return weak
