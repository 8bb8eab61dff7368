"""What every part of the cluster has in common: one daemon, one directory, one question ('what is wrong with you?')."""
import os
import pwd
import shutil
import signal

from cluster import ports
from cluster.daemon import Daemon
from cluster.settings import SYSTEM_DATA
from cluster.waiting import TimedOut, until_well


class ComponentFailed(Exception):
    """A part did not come up. The text says why; log_tail is what the part said itself."""

    def __init__(self, component, reason):
        super().__init__(f"{component.name}: {reason}")
        self.component = component.name
        self.log = component.daemon.log
        self.log_tail = component.daemon.log_tail()


class Component:
    # Whom it runs as when root starts it: the user that its distribution package made for it.
    user = None
    start_seconds = 60
    stop_seconds = 30
    stop_signal = signal.SIGTERM
    # How often one that ends by itself while it is waited for is launched again.
    relaunches = 0

    def __init__(self, settings, name):
        self.settings = settings
        self.name = name
        self.number = int(name.rpartition("-")[2]) if "-" in name and name[-1].isdigit() else 0
        self.home = settings.data / name
        self.daemon = Daemon(name, settings.data / "pids" / f"{name}.pid", settings.data / "logs" / f"{name}.log")

    # What each kind of component says about itself.

    def listens(self):
        """{port: what it is for}, checked before the start."""
        raise NotImplementedError

    def prepare(self):
        """Writes the configuration; called before each start, must keep data."""

    def command(self):
        raise NotImplementedError

    def environment(self):
        return {}

    def answers(self):
        """None when the process itself answers, else what is wrong. Enough for what has to be set up next."""
        return self.problem()

    def problem(self):
        """None when it does its part in the cluster, else one sentence. Bounded to a few seconds."""
        raise NotImplementedError

    # The same for all.

    def running(self):
        return self.daemon.running() is not None

    def launch(self):
        """Starts the process; does not wait for it."""
        if self.running():
            return
        self.clear()
        ports.require_free(self.listens())
        self.home.mkdir(mode=0o700, exist_ok=True)
        self.give(self.home)
        self.prepare()
        self.give(self.home)
        self.daemon.start(self.as_user(self.command()), {**base_environment(), **self.environment()}, self.home)

    def clear(self):
        """Ends what a crash left over: workers without their master, who hold its port."""
        if not self.running():
            self.daemon.stop(seconds=0)

    def drops_root(self):
        return self.user is not None and os.geteuid() == 0

    def give(self, path):
        """To the user it runs as, with all below it."""
        if not self.drops_root():
            return
        for parent in self.settings.data.parents:
            if not parent.stat().st_mode & 0o001:
                raise PermissionError(f"{self.name} runs as user {self.user} when root starts it, who may not pass "
                                      f"{parent}. Choose another --data, such as {SYSTEM_DATA}, or do not start it as root.")
        owner = pwd.getpwnam(self.user)
        for directory, _, names in os.walk(path):
            for each in (directory, *(os.path.join(directory, name) for name in names)):
                os.chown(each, owner.pw_uid, owner.pw_gid, follow_symlinks=False)

    def as_user(self, command):
        if not self.drops_root():
            return command
        # setpriv execs, so the pid stays the daemon's own; su and sudo would stay between.
        return ["setpriv", "--reuid", self.user, "--regid", self.user, "--clear-groups", "--", *command]

    def wait(self, question, seconds=None):
        """Until the question (answers, problem) has no complaint any more. A process that ends is launched again as often as
        its kind may be, then fails at once."""
        left = self.relaunches

        def complaint():
            nonlocal left
            if self.running():
                return question()
            if left == 0:
                raise ComponentFailed(self, "the process ended")
            left -= 1
            self.launch()
            return "it ended and was launched again"
        try:
            until_well(complaint, seconds or self.start_seconds)
        except TimedOut as late:
            raise ComponentFailed(self, str(late)) from None

    def stop(self, say=print):
        return self.daemon.stop(self.stop_signal, self.stop_seconds, say)

    def health(self):
        """('running' | 'paused' | 'stopped', None or what is wrong)."""
        if not self.running():
            return "stopped", "not running"
        if self.daemon.paused():
            return "paused", "paused (SIGSTOP)"
        return "running", self.problem()


class Tier:
    """Components that start together and form one service."""

    name = ""

    def __init__(self, settings, components):
        self.settings = settings
        self.components = components

    def before(self, stopped):
        """Called before the first launch, with those that will be launched."""

    def batches(self, stopped):
        """In which order: each batch has to answer before the next is launched."""
        return [stopped]

    def form(self):
        """Sets up what needs the running processes: cluster, users, databases. Must be idempotent."""

    def start(self, wanted, notify=lambda name, state, detail="": None):
        """Starts those of the tier's components that are wanted and not running, and waits until all wanted are well.
        notify(name, 'starting' | 'answers' | 'ready' | 'running') tells what happens."""
        stopped = [component for component in wanted if not component.running()]
        for component in wanted:
            notify(component.name, "starting" if component in stopped else "running")
        self.before(stopped)
        for batch in self.batches(stopped):
            for component in batch:
                component.launch()
            for component in batch:
                component.wait(component.answers)
                notify(component.name, "answers")
        self.form()
        for component in wanted:
            if not component.daemon.paused():
                component.wait(component.problem)
            if component in stopped:
                notify(component.name, "ready")


def base_environment():
    """Nothing of the caller's environment but the path: a daemon must behave the same whoever starts it."""
    path = os.environ.get("PATH", "/usr/bin:/bin")
    return {"PATH": f"{path}:/usr/local/sbin:/usr/sbin:/sbin", "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"}


def program(*candidates, package):
    """The first that exists, by path or by name."""
    for candidate in candidates:
        found = shutil.which(candidate, path=base_environment()["PATH"])
        if found:
            return found
    raise FileNotFoundError(f"{candidates[0]} is not installed (Debian package {package})")
