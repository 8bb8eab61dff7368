#!/usr/bin/env python3
"""The fault campaign: a whole native cluster, clients that record what they see, and one fault after the other. Each fault
ends by proving recovery; in the end everything that was seen is judged by armazem-check.

    python3 tests/faults/campaign.py --minutes 5 --seed 7

Run by root it works in a network and mount namespace of its own, so that packets can be dropped and a small disk be filled.
"""
import argparse
import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parents[1] / "scripts")]

from cluster import Cluster, StartFailed  # noqa: E402 (the path comes first)
from faults.clients import Clients  # noqa: E402
from faults.kinds import KINDS  # noqa: E402
from faults.programs import program  # noqa: E402
from faults.proxies import Proxies  # noqa: E402
from faults.recovery import Recovery, patience  # noqa: E402
from faults.report import Report  # noqa: E402
from support.cluster_view import ClusterView  # noqa: E402
from support.scratch import scratch_directory  # noqa: E402
from support.wait import SCALE, until  # noqa: E402

CACHE_TTL_SECONDS = 10
RECOVERY_SECONDS = 90   # writes and reads of all kinds succeed again within this
WHOLE_SECONDS = 400     # every part says that it is well again; a broker on a busy machine takes minutes to start
THROUGHPUT_SHARE = 0.1  # of the wanted rate, before each fault
SMALL_DISK = "1500m"    # for PostgreSQL: its log may grow to 1 GB
INSIDE = "--inside"


class Campaign:
    def __init__(self, arguments, directory):
        self.arguments = arguments
        self.short = arguments.minutes <= 10
        self.random = random.Random(arguments.seed)
        self.cluster = Cluster.make(directory / "data", free_ports=True, sql="postgres")
        self.view = ClusterView(self.cluster)
        self.histories = directory / "histories"
        self.histories.mkdir()
        self.proxies = Proxies(self.cluster)
        self.proxies.install(self.cluster, cache_ttl=f"{CACHE_TTL_SECONDS}s")
        self.recovery = Recovery(self.cluster)
        self.report = Report(arguments)
        self.small_disk = self._mount_small_disk()
        self.no_packet_filter = packet_filter_missing()

    def _mount_small_disk(self):
        if not self.arguments.inside:
            return None
        path = self.cluster.settings.data / "postgres"
        path.mkdir(parents=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SMALL_DISK}", "tmpfs", str(path)], check=True)
        return path

    @staticmethod
    def pause(seconds):
        time.sleep(seconds)  # the length of a fault is what is wanted here, not a wait for something

    # The run.

    def run(self):
        self.cluster.start()
        self.recovery.wait(RECOVERY_SECONDS)
        ports = self.cluster.settings.ports
        apis = [ports.of("api", number) for number in range(1, self.cluster.settings.choices.apis + 1)]
        self.clients = Clients([ports.of("nginx")] * 5 + apis, self.histories, self.arguments)
        try:
            try:
                for kind in self._schedule():
                    self._one_fault(kind)
            except (AssertionError, StartFailed) as error:  # no more faults, but the end is judged all the same
                self.report.fail({"kind": "the cluster", "at": round(self.report.seconds(), 1)}, error)
            finally:
                finished = self.clients.command("finish", 60)
                self.report.counts, self.report.keys = finished["counts"], finished["keys"]
            self._end()
        finally:
            self.clients.close()

    def _schedule(self):
        """Every kind that is possible here, in random order, again and again until the time is over; the quick ones once
        in any case."""
        possible = []
        for kind in KINDS.values():
            reason = kind.needs(self) if kind.needs else None
            if reason:
                self.report.skip(kind.name, reason)
            elif not self.arguments.only or any(word in kind.name for word in self.arguments.only):
                possible.append(kind)
        first = [kind for kind in possible if kind.quick]
        self.random.shuffle(first)
        rest = [kind for kind in possible if not kind.quick]
        end = time.monotonic() + self.arguments.minutes * 60
        hard_end = end + self.arguments.minutes * 60
        for turn in range(10**9):
            # A short run begins with all the quick ones; a long one mixes.
            order = self.random.sample(possible, len(possible))
            if turn == 0 and self.short:
                order = first + self.random.sample(rest, len(rest))
            for kind in order:
                late = time.monotonic() >= end
                if late and not (self.short and turn == 0 and kind.quick and time.monotonic() < hard_end):
                    return
                yield kind

    def _one_fault(self, kind):
        record = {"kind": kind.name, "at": round(self.report.seconds(), 1)}
        try:
            record["operations_per_second"] = round(self._calm())
            self.report.begin(record)
            self._break_and_heal(kind, record)
        except Exception as error:  # told in the report, and the run has failed; the others are still worth something
            self.report.fail(record, error)
            self._reset()
        whole = time.monotonic()
        self._wait_until_whole()
        record["whole"] = round(record.get("recovery", 0) + time.monotonic() - whole, 2)
        self.report.end(record)

    def _break_and_heal(self, kind, record):
        recovered = None
        try:
            with contextlib.ExitStack() as healing:
                record["what"], seconds = healing.enter_context(kind.broken(self, self.random))
                self.pause(seconds)
                record["seconds"] = round(self.report.seconds() - record["at"], 1)
                recovered = Measured(lambda: self.recovery.wait(RECOVERY_SECONDS))
        except StartFailed:
            # A server that needs longer than usual to start, on a machine with much else to do: the service must be
            # back all the same, and the part is waited for below.
            if recovered is None:
                raise
        record["recovery"] = round(recovered.result(), 2)

    def _wait_until_whole(self):
        """As an operator does it: what ended meanwhile is started again, until every part says that it is well."""
        begun = time.monotonic()
        while True:
            try:
                return self.view.heal()
            except (AssertionError, StartFailed):
                if time.monotonic() - begun > WHOLE_SECONDS * patience():
                    raise

    def _reset(self):
        """Nothing is broken by us any more, however far a fault came."""
        for name in self.proxies.port:
            self.proxies.command(name, "calm")
        if not self.no_packet_filter:
            subprocess.run(["nft", "flush", "ruleset"], check=False)  # of our own network namespace
        if self.small_disk:
            (self.small_disk / "filler").unlink(missing_ok=True)

    def _calm(self):
        """Answers per second, when they are as many as a run without them must have."""
        wanted = self.arguments.rate * THROUGHPUT_SHARE / SCALE

        def enough():
            reads, writes = self.clients.rate(["reads"]), self.clients.rate(["applied"])
            return reads + writes if reads + writes >= wanted and writes >= wanted / 5 else None
        return until(enough, 60 * patience(), f"{wanted:.0f} answers per second before the next fault", every=0.1)

    def _end(self):
        """Nothing is under way any more: what is there now is what is left."""
        self._wait_until_whole()
        self.view.wait_until_drained(120 * patience())
        dead = self.view.dead_letters()
        assert not dead, f"{len(dead)} dead letters: writes that could not be applied: {dead[:5]}"
        self.pause(CACHE_TTL_SECONDS)  # the longest that an entry of the cache may be wrong
        self.clients.command("finals", 600)


class Measured:
    """A call on a thread of its own, begun at once: healing goes on beside the probes."""

    def __init__(self, call):
        self.begun = time.monotonic()
        self.error = self.seconds = None
        self.thread = threading.Thread(target=self._run, args=(call,))
        self.thread.start()

    def _run(self, call):
        try:
            call()
        except BaseException as error:  # raised again by result()
            self.error = error
        self.seconds = time.monotonic() - self.begun

    def result(self):
        self.thread.join()
        if self.error:
            raise self.error
        return self.seconds


def packet_filter_missing():
    if INSIDE not in sys.argv:
        return "dropping packets needs root and a network namespace"
    return None if shutil.which("nft") else "dropping packets needs nft (Debian package nftables)"


def judge(histories, report):
    """armazem-check on all that was seen; its last line is the sum."""
    files = sorted(map(str, histories.glob("history-*.jsonl")))
    assert files, "nothing was recorded"
    done = subprocess.run([program("armazem-check"), "--ttl", str(CACHE_TTL_SECONDS), "--margin", "2", *files],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    report.verdict = done.stdout.splitlines()[-1]
    if done.returncode:
        print(done.stdout)
    return done.returncode == 0


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**31))
    parser.add_argument("--clients", type=int, default=24)
    parser.add_argument("--rate", type=float, default=600, help="operations per second that the clients try (default 600)")
    parser.add_argument("--report", type=Path, help="where to write the table; FILE.jsonl beside it has a line per fault")
    parser.add_argument("--keep", type=Path, help="where to keep histories and logs when something is wrong")
    parser.add_argument("--only", nargs="*", help="kinds of faults whose name contains one of these words")
    parser.add_argument("--list", action="store_true", help="print the kinds of faults")
    parser.add_argument(INSIDE, action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def enter_namespaces():
    """Does not come back where they can be had."""
    if os.geteuid() != 0 or subprocess.run(["unshare", "--net", "--mount", "true"], stderr=subprocess.DEVNULL).returncode:
        return
    os.execvp("unshare", ["unshare", "--net", "--mount", "--", "sh", "-c", 'ip link set lo up && exec "$@"', "sh",
                          sys.executable, *sys.argv, INSIDE])


def keep(directory, arguments):
    kept = arguments.keep or Path(tempfile.mkdtemp(prefix="armazem-faults-"))
    kept.mkdir(parents=True, exist_ok=True)
    for name in ("histories", "data/logs"):
        shutil.copytree(directory / name, kept / name, dirs_exist_ok=True)
    print(f"histories and logs are in {kept}")


def main():
    arguments = parse_arguments()
    if arguments.list:
        print("\n".join(KINDS))
        return 0
    if not arguments.inside:
        print(f"seed {arguments.seed}: repeat with --seed {arguments.seed}", flush=True)
        enter_namespaces()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is stopped
    with scratch_directory() as directory:
        campaign = Campaign(arguments, directory)
        good = False
        try:
            campaign.run()
            good = judge(campaign.histories, campaign.report) and not campaign.report.failures
        finally:
            campaign.report.write()
            campaign.proxies.close()
            if not good:
                keep(directory, arguments)
            campaign.cluster.stop(say=lambda text: None)
            if campaign.small_disk:
                subprocess.run(["umount", "--lazy", str(campaign.small_disk)], check=False)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
