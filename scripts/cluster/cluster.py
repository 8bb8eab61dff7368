"""The whole cluster as one object: what it consists of, and start, stop, kill, pause and resume by component name."""
import contextlib
import fcntl
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor

from cluster.armazem import ArmazemTier, Migrate
from cluster.cockroach import CockroachTier
from cluster.component import ComponentFailed
from cluster.haproxy import HAProxyTier
from cluster.nginx import NginxTier
from cluster.ports import require_free
from cluster.postgres import PostgresTier
from cluster.rabbitmq import RabbitMQTier
from cluster.redis import RedisTier
from cluster.settings import Settings

# Tiers of one line start side by side; a line waits for the one above it. `armazem migrate` runs before the processes.
SERVERS = [["rabbitmq", "redis", "sql"], ["haproxy"]]
PROCESSES = [["api", "worker"], ["nginx"]]


class StartFailed(Exception):
    """Some tiers did not come up; .failures has one exception for each. What did come up is left running."""

    def __init__(self, failures):
        super().__init__("; ".join(str(failure) for failure in failures))
        self.failures = failures


class Cluster:
    def __init__(self, settings):
        self.settings = settings
        self.tiers = {
            "rabbitmq": RabbitMQTier(settings),
            "redis": RedisTier(settings),
            "sql": CockroachTier(settings) if settings.choices.sql == "cockroach" else PostgresTier(settings),
        }
        sql = self.tiers["sql"]
        self.tiers |= {
            "haproxy": HAProxyTier(settings, sql),
            "api": ArmazemTier(settings, "api", settings.choices.apis, sql),
            "worker": ArmazemTier(settings, "worker", settings.choices.workers, sql),
            "nginx": NginxTier(settings),
        }
        self.migrate = Migrate(settings, sql)
        self.components = {part.name: part for tier in self.tiers.values() for part in tier.components}

    @classmethod
    def make(cls, data, **options):
        """A cluster in that directory, remembered or new; the options are those of Settings.make."""
        return cls(Settings.make(data, **options))

    @classmethod
    def load(cls, data):
        """The cluster of that directory, or None when nothing was ever started there."""
        settings = Settings.load(data)
        return cls(settings) if settings else None

    def select(self, names):
        """Components by name or by tier ('redis-3', 'redis', 'postgres'); all for no names."""
        if not names:
            return list(self.components.values())
        chosen = []
        for name in names:
            if name in self.components:
                chosen.append(self.components[name])
            elif TIER_NAMES.get(name, name) in self.tiers:
                chosen += self.tiers[TIER_NAMES.get(name, name)].components
            else:
                raise KeyError(f"no component or tier '{name}'; there are: "
                               f"{', '.join(dict.fromkeys([*self.tiers, *self.components]))}")
        return chosen

    def start(self, *names, notify=lambda name, state, detail="": None):
        """Starts what is not running of the named components or tiers (all for none) and waits until each is well."""
        wanted = self.select(names)
        with self._locked():
            self._refuse_changed_ports()
            self._require_ports([part for part in wanted if not part.running()])
            self.settings.save()
            for wave in SERVERS:
                self._start_wave(wave, wanted, notify)
            if any(part.name.startswith(("api-", "worker-")) and not part.running() for part in wanted):
                self._run_migrate(notify)
            for wave in PROCESSES:
                self._start_wave(wave, wanted, notify)
            if self.components["nginx"].leaves_some_out():
                self.components["nginx"].send_nothing_to()

    @staticmethod
    def _require_ports(stopped):
        """Before anything is started: half a cluster beside somebody else's server helps nobody."""
        for part in stopped:
            part.clear()
        require_free({port: what for part in stopped for port, what in part.listens().items()})

    def _run_migrate(self, notify):
        notify("migrate", "starting")
        try:
            self.migrate.run()
        except Exception as error:
            notify("migrate", "failed", str(error))
            raise StartFailed([error]) from error
        notify("migrate", "ready")

    def _start_wave(self, wave, wanted, notify):
        failures = []

        def start(tier, parts):
            try:
                tier.start(parts, notify)
            except Exception as error:  # handed to the caller below, with those of the other tiers
                failures.append(error)
                name = error.component if isinstance(error, ComponentFailed) else tier.name
                notify(name, "failed", str(error))

        work = [(self.tiers[name], [part for part in self.tiers[name].components if part in wanted]) for name in wave]
        threads = [threading.Thread(target=start, args=each) for each in work if each[1]]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()  # bounded by the deadlines inside
        if failures:
            raise StartFailed(failures)

    def _refuse_changed_ports(self):
        before = Settings.load(self.settings.data)
        changed = before and before.choices != self.settings.choices
        if changed and any(part.running() for part in Cluster(before).components.values()):
            raise ValueError("the cluster is running with other ports or sizes: stop it first")

    def stop(self, *names, notify=lambda name, state, detail="": None, say=print):
        """Asks first, kills after a deadline and says so. Outside in: nobody loses a server he is still talking to."""
        wanted = self.select(names)
        if not self.settings.data.exists():
            return
        with self._locked():
            for wave in stop_order(wanted):
                with ThreadPoolExecutor(max_workers=len(wave)) as pool:
                    list(pool.map(lambda part: self._stop_one(part, notify, say), wave))  # raises what one raised

    def restart_rolling(self, notify=lambda name, state, detail="": None, say=print):
        """Workers, then API processes, one after the other, with the program as it is now and without a request that
        fails: an API gets no more requests before it is stopped, and gets them again when it is ready. Ends at the first
        that does not become ready: it gets none until `start` has mended it, and those after it run as before."""
        with self._locked():
            unwell = [f"{name}: {part.health()[1]}" for name, part in self.components.items() if part.health()[1]]
            if unwell:
                raise RuntimeError(f"all parts must be well before a rolling restart; {'; '.join(unwell)}")
            self._run_migrate(notify)
            for part in self.tiers["worker"].components:
                self._restart(part, notify, say)
            nginx = self.components["nginx"]
            for part in self.tiers["api"].components:
                nginx.send_nothing_to(part.port)
                self._restart(part, notify, say)
                nginx.send_nothing_to()

    @staticmethod
    def _restart(part, notify, say):
        notify(part.name, "stopping")
        part.stop(say)
        notify(part.name, "starting")
        try:
            part.launch()
            part.wait(part.problem)
        except Exception as error:
            notify(part.name, "failed", str(error))
            raise StartFailed([error]) from error
        notify(part.name, "ready")

    @staticmethod
    def _stop_one(part, notify, say):
        running = part.running()
        if running:
            notify(part.name, "stopping")
        part.stop(say)
        if running:
            notify(part.name, "stopped")

    def kill(self, name):
        """kill -9 of the process and all its children; back when they are gone."""
        self.components[name].daemon.kill()

    def pause(self, name):
        self.components[name].daemon.pause()

    def resume(self, name):
        self.components[name].daemon.resume()

    def is_running(self, name):
        return self.components[name].running()

    def problem(self, name):
        """None, or what is wrong with it."""
        return self.components[name].health()[1]

    def wipe(self):
        """Removes all data and passwords. Refused while something runs."""
        running = [part.name for part in self.components.values() if part.running()]
        if running:
            raise RuntimeError(f"still running: {', '.join(running)}")
        shutil.rmtree(self.settings.data)

    @contextlib.contextmanager
    def _locked(self):
        """One start or stop of a directory at a time."""
        self.settings.make_directories()
        with open(self.settings.data / "lock", "w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise RuntimeError(f"another start or stop of {self.settings.data} is under way") from None
            yield


# Other names of tiers.
TIER_NAMES = {"postgres": "sql", "cockroach": "sql"}


def stop_order(parts):
    """Lists of components that may stop side by side: first who asks, then who is asked. epmd goes last: without it
    RabbitMQ's nodes can't say goodbye to each other."""
    ranks = ["nginx", "api", "worker", "haproxy"]

    def rank(part):
        kind = part.name.rpartition("-")[0] or part.name
        return ranks.index(kind) if kind in ranks else len(ranks) + (kind == "epmd")

    by_rank = {}
    for part in parts:
        by_rank.setdefault(rank(part), []).append(part)
    return [by_rank[at] for at in sorted(by_rank)]
