"""Clients that go on while parts of a cluster are taken away, and the judge of what they saw.

Every writer has keys of its own and writes to each one after the other, so for each key the order of writes is known:
whatever is stored in the end must be the last acknowledged write, or one that came after it and whose fate was not told.
"""
import itertools
import threading
import time
from dataclasses import dataclass, field

from support.client import Client
from support.http_raw import Closed

# Answers that promise that the write will be there: done, or durable in the queue.
ACKNOWLEDGED = (200, 201, 202)
# Answers that promise that nothing happened.
NO_EFFECT = (429, 503)


@dataclass
class KeyHistory:
    """What one writer knows of one of its keys."""

    acknowledged: int = 0                        # number of the last write that was promised; 0: none
    uncertain: list = field(default_factory=list)  # numbers after it whose fate was not told
    read_floor: int = 0                          # the newest number that a session read must see

    def note(self, number, status):
        if status in ACKNOWLEDGED:
            self.acknowledged = number
            self.uncertain = []
        elif status not in NO_EFFECT:
            self.uncertain.append(number)

    def allowed(self, number):
        return number == self.acknowledged or number in self.uncertain


@dataclass
class Event:
    at: float
    seconds: float
    kind: str     # "PUT" or "GET"
    status: int   # 0: no answer


class Workload:
    """`with Workload(address) as load:` runs `writers` threads until the end of the block; .verify() judges."""

    def __init__(self, address, writers=8, keys_each=20, prefix="load", prefer=None, keep_alive=True):
        self.address = address
        self.histories = {f"{prefix}-{w}-{k}": KeyHistory() for w in range(writers) for k in range(keys_each)}
        self.writers = writers
        self.keys_each = keys_each
        self.prefix = prefix
        self.headers = {"Prefer": prefer} if prefer else {}
        self.keep_alive = keep_alive  # else a new connection for each request
        self.events = []
        self.violations = []
        self._stop = threading.Event()
        self._lock = threading.Lock()

    def __enter__(self):
        self.threads = [threading.Thread(target=self._run, args=(w,), daemon=True) for w in range(self.writers)]
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        for thread in self.threads:
            thread.join(timeout=120)
            assert not thread.is_alive(), "a client did not come back: a request without an end"

    def _run(self, writer):
        client = Client(self.address)
        for number in itertools.count(1):
            for k in range(self.keys_each):
                if self._stop.is_set():
                    client.close()
                    return
                key = f"{self.prefix}-{writer}-{k}"
                version = self._put(client, key, number)
                if not self.keep_alive:
                    client.close()
                self._get(client, key, version)
                if not self.keep_alive:
                    client.close()

    def _timed(self, kind, call):
        begun = time.monotonic()
        try:
            response = call()
            status = response.status
        except (Closed, AssertionError, OSError):
            response, status = None, 0
        now = time.monotonic()
        with self._lock:
            self.events.append(Event(begun, now - begun, kind, status))
        return response, status

    def _put(self, client, key, number):
        response, status = self._timed("PUT", lambda: client.put(key, str(number).encode(), self.headers))
        self.histories[key].note(number, status)
        if status in (200, 201):
            self.histories[key].read_floor = number
            return response.header("Armazem-Version")
        return None

    def _get(self, client, key, version):
        """A session read after a write must see it; any read must see a value that was written."""
        headers = {"Armazem-Min-Version": version} if version else {}
        response, status = self._timed("GET", lambda: client.get(key, headers, "?raw"))
        if status != 200:
            return
        number, history = int(response.body), self.histories[key]
        if version and number < history.read_floor:
            self._violation(f"{key}: read {number} after {history.read_floor} was acknowledged and asked for")

    def _violation(self, text):
        with self._lock:
            self.violations.append(text)

    def rate(self, kind, statuses, since, until):
        """Answers per second with one of these statuses."""
        count = sum(1 for e in self.events if e.kind == kind and e.status in statuses and since <= e.at < until)
        return count / max(until - since, 0.001)

    def count(self, kind, statuses=None, since=0.0, until=float("inf")):
        return sum(1 for e in self.events
                   if e.kind == kind and (statuses is None or e.status in statuses) and since <= e.at < until)

    def statuses(self, kind, since=0.0, until=float("inf")):
        found = {}
        for e in self.events:
            if e.kind == kind and since <= e.at < until:
                found[e.status] = found.get(e.status, 0) + 1
        return dict(sorted(found.items()))

    def longest_gap(self, kind, good, since, until):
        """The longest time without a good answer to a request of that kind."""
        ends = sorted(e.at + e.seconds for e in self.events if e.kind == kind and e.status in good and since <= e.at < until)
        return max((b - a for a, b in zip([since, *ends], [*ends, until])), default=until - since)

    def failures(self, good, since=0.0, until=float("inf")):
        """(first, last) moment of requests that got none of these answers, and how many."""
        bad = [e for e in self.events if e.status not in good and since <= e.at < until]
        return (min(e.at for e in bad), max(e.at + e.seconds for e in bad), len(bad)) if bad else None

    def wrong_keys(self, read):
        """Keys whose stored value is none that may be there; `read(key)` gives the number, None when absent."""
        wrong = []
        for key, history in self.histories.items():
            number = read(key)
            if number is None and history.acknowledged == 0:
                continue
            if number is None or not history.allowed(number):
                wrong.append(f"{key}: holds {number}, acknowledged {history.acknowledged}, uncertain {history.uncertain}")
        return wrong
