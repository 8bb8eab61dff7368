"""Many watchers in a process of their own, and the writers whose changes they must be told: each once, in order, whatever
breaks in between.

A group is the keys under `<prefix>/<group>/`. A watcher watches one group, or all of them. The end is a change, too: the key
`<prefix>/<group>/end`. What each watcher saw is kept as a count and a sum over the versions, which must be the same for all
who watch the same; the versions themselves are kept once per group.
"""
import asyncio
import json
import random
import re
import subprocess
import sys
import threading
import time
from pathlib import Path
from urllib.parse import quote

from support.client import Client
from support.http_raw import BadAnswer, Closed

EVENT = re.compile(rb'event: (\w+)\nid: ([0-9a-f]+-[0-9]+)\ndata: (?:\{"key":"([^"]*)","version":"([^"]+)")?')
MARK = re.compile(rb"(?:^|\n)id: ([0-9a-f]+-[0-9]+)\n")
EVERYTHING = "*"


class Watcher(asyncio.Protocol):
    def __init__(self, crowd, group):
        self.crowd = crowd
        self.group = group
        self.ends = len(crowd.groups) if group == EVERYTHING else 1
        self.last_id = None
        self.count = self.sum = self.resets = self.connects = 0
        self.last = {}
        self.disorder = []
        self.keeps = crowd.first_of(self)
        self.begin()

    def begin(self):
        self.buffer = b""
        self.text = b""
        self.head = None

    def connection_made(self, transport):
        self.transport = transport
        self.connects += 1
        prefix = self.crowd.prefix + "/" + ("" if self.group == EVERYTHING else self.group + "/")
        resume = f"Last-Event-ID: {self.last_id}\r\n" if self.last_id else ""
        transport.write(f"GET /watch?prefix={quote(prefix, safe='')} HTTP/1.1\r\nHost: watchers\r\n{resume}\r\n".encode())

    def data_received(self, data):
        self.buffer += data
        if self.head is None:
            head, found, rest = self.buffer.partition(b"\r\n\r\n")
            if not found:
                return
            self.head, self.buffer = head, rest
            if b" 200 " not in head.split(b"\r\n", 1)[0]:
                self.transport.close()
                return
        at = 0
        while True:
            line_end = self.buffer.find(b"\r\n", at)
            if line_end < 0:
                break
            size = int(self.buffer[at:line_end], 16)
            if len(self.buffer) < line_end + size + 4:
                break
            self.text += self.buffer[line_end + 2:line_end + 2 + size]
            at = line_end + size + 4
        self.buffer = self.buffer[at:]
        whole = self.text.rfind(b"\n\n")
        if whole >= 0:
            block, self.text = self.text[:whole + 1], self.text[whole + 2:]
            self.take(block)

    def take(self, block):
        for kind, _, key, version in EVENT.findall(block):
            if kind == b"reset":
                self.resets += 1
                continue
            if key.endswith(b"/end"):
                self.ends -= 1
                continue
            if version <= self.last.get(key, b""):
                self.disorder.append((key.decode(), self.last[key].decode(), version.decode()))
            self.last[key] = version
            self.count += 1
            self.sum += hash(version)
            if self.keeps is not None:
                self.keeps.append(version.decode())
        marks = MARK.findall(block)
        if marks:
            if self.last_id is None:
                self.crowd.note_open()
            self.last_id = marks[-1].decode()
        if self.ends == 0:
            self.ends = -1
            self.crowd.note_done()
            self.transport.close()

    def connection_lost(self, _):
        if self.ends > 0:
            self.begin()
            self.crowd.loop.call_later(random.uniform(0.05, 0.5), self.crowd.connect, self)


class Crowd:
    def __init__(self, addresses, prefix, groups, each, of_all):
        self.loop = asyncio.get_running_loop()
        self.addresses, self.prefix, self.groups = addresses, prefix, groups
        self.kept = {}
        self.opened = self.done = 0
        self.finished = self.loop.create_future()
        wanted = [group for group in groups for _ in range(each)] + [EVERYTHING] * of_all
        self.watchers = [Watcher(self, group) for group in wanted]
        for number, watcher in enumerate(self.watchers):
            self.loop.call_later(number / 2000, self.connect, watcher)

    def first_of(self, watcher):
        if watcher.group in self.kept:
            return None
        self.kept[watcher.group] = []
        return self.kept[watcher.group]

    def connect(self, watcher):
        self.loop.create_task(self._connect(watcher))

    async def _connect(self, watcher):
        try:
            await asyncio.wait_for(self.loop.create_connection(lambda: watcher, *random.choice(self.addresses)), 5)
        except (OSError, asyncio.TimeoutError):
            self.loop.call_later(random.uniform(0.05, 0.5), self.connect, watcher)

    def note_open(self):
        self.opened += 1
        if self.opened == len(self.watchers):
            print("open", flush=True)

    def note_done(self):
        self.done += 1
        if self.done == len(self.watchers):
            self.finished.set_result(None)

    def summary(self):
        seen = {}
        for watcher in self.watchers:
            seen.setdefault(watcher.group, set()).add((watcher.count, watcher.sum))
        return {"seen": {group: [count for count, _ in sums] for group, sums in seen.items()},
                "events": sum(watcher.count for watcher in self.watchers),
                "resets": sum(watcher.resets for watcher in self.watchers),
                "reconnects": sum(watcher.connects - 1 for watcher in self.watchers),
                "disorder": [entry for watcher in self.watchers for entry in watcher.disorder][:10],
                "unfinished": sum(watcher.ends > 0 for watcher in self.watchers)}


async def run(settings):
    crowd = Crowd([tuple(address) for address in settings["addresses"]], settings["prefix"], settings["groups"],
                  settings["each"], settings["of_all"])
    try:
        await asyncio.wait_for(crowd.finished, settings["seconds"])
    except asyncio.TimeoutError:
        pass
    Path(settings["kept"]).write_text(json.dumps(crowd.kept))
    print(json.dumps(crowd.summary()), flush=True)


class Watchers:
    """The process. `of_all` watchers of everything beside `each` per group."""

    def __init__(self, addresses, prefix, groups, each, of_all, directory, seconds=600):
        self.kept = Path(directory) / "versions.json"
        settings = {"addresses": addresses, "prefix": prefix, "groups": groups, "each": each, "of_all": of_all,
                    "seconds": seconds, "kept": str(self.kept)}
        tests = Path(__file__).resolve().parent.parent
        self.process = subprocess.Popen([sys.executable, "-m", "support.watchers", json.dumps(settings)], cwd=tests,
                                        stdout=subprocess.PIPE, text=True)

    def __enter__(self):
        assert self.process.stdout.readline().strip() == "open", "the watchers could not all be opened"
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def finish(self):
        """Their summary, and the versions that each group saw."""
        summary = json.loads(self.process.stdout.readline())
        return summary, json.loads(self.kept.read_text())


class Writers:
    """Threads that write at a rate until the end; each has keys of its own in every group."""

    def __init__(self, addresses, prefix, groups, rate, threads=8, keys_each=5):
        self.addresses, self.prefix, self.groups = addresses, prefix, groups
        self.keys_each = keys_each
        self.interval = threads / rate
        self.stopping = threading.Event()
        self.acknowledged = {group: set() for group in groups}
        self.unknown = 0
        self.refused = 0
        self.lock = threading.Lock()
        self.threads = [threading.Thread(target=self._run, args=(number,), daemon=True) for number in range(threads)]

    def __enter__(self):
        self.begun = time.monotonic()
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join()
        self.seconds = time.monotonic() - self.begun

    def _run(self, number):
        chance = random.Random(number)
        client = Client(self.addresses[number % len(self.addresses)], as_written=True)
        due = time.monotonic()
        while not self.stopping.is_set():
            due = max(due + self.interval, time.monotonic() - 1)  # a stall is not made up for at once
            self.stopping.wait(max(0, due - time.monotonic()))
            group = chance.choice(self.groups)
            key = f"{self.prefix}/{group}/{number}-{chance.randrange(self.keys_each)}"
            status, version = self._put(client, key)
            with self.lock:
                if status in (200, 201):
                    self.acknowledged[group].add(version)
                elif status == 503:
                    self.refused += 1
                else:
                    self.unknown += 1
            if status not in (200, 201):
                client.close()
                client = Client(chance.choice(self.addresses), as_written=True)
        client.close()

    @staticmethod
    def _put(client, key):
        try:
            answer = client.put(key, b"x" * 32, {"Content-Type": "text/plain", "Prefer": "wait=30"})
        except (OSError, Closed, BadAnswer, AssertionError):
            return None, None
        return answer.status, answer.header("Armazem-Version")

    def finish(self):
        """Writes the last change of every group, as often as that takes."""
        for group in self.groups:
            for _ in range(100):
                client = Client(random.choice(self.addresses), as_written=True)
                status, _version = self._put(client, f"{self.prefix}/{group}/end")
                client.close()
                if status in (200, 201, 202):
                    break
                time.sleep(0.1)
            else:
                raise AssertionError("the end could not be written")


def check(writers, summary, kept):
    """Every acknowledged change was told to everybody, once and in order; what else was told may be of unknown outcome."""
    assert summary["unfinished"] == 0, summary
    assert summary["resets"] == 0 and summary["disorder"] == [], summary
    assert all(len(counts) == 1 for counts in summary["seen"].values()), f"watchers of the same keys saw different changes: {summary}"
    extra = 0
    for group, versions in kept.items():
        assert len(versions) == len(set(versions)), f"{group}: told twice"
        acknowledged = set().union(*writers.acknowledged.values()) if group == EVERYTHING else writers.acknowledged[group]
        missing = acknowledged - set(versions)
        assert not missing, f"{group}: {len(missing)} acknowledged changes were not told, such as {sorted(missing)[:3]}"
        if group == EVERYTHING:
            extra = len(set(versions) - acknowledged)
    assert extra <= writers.unknown + writers.refused, f"{extra} changes were told that nobody wrote"


if __name__ == "__main__":
    asyncio.run(run(json.loads(sys.argv[1])))
