"""Watchers on a cluster: an API server, a worker and the leader of the write queue are killed while they watch. Every change
that was acknowledged reaches every watcher once and in order. ARMAZEM_WATCHERS and ARMAZEM_WATCH_RATE make it larger."""
import os
import time

from support.wait import SCALE, until
from support.watchers import Watchers, Writers, check

WATCHERS = int(os.environ.get("ARMAZEM_WATCHERS", 100))
RATE = int(os.environ.get("ARMAZEM_WATCH_RATE", 200))
GROUPS = [f"g{number}" for number in range(20)]


def test_nothing_is_missed_and_nothing_told_twice(cluster, tmp_path):
    prefix = f"watched-{time.time_ns()}"
    # Some by way of NGINX, the others straight at the servers, so that one that is killed takes its watchers along.
    addresses = [cluster.front(), *(cluster.api(number) for number in (1, 2, 3))]
    with Watchers(addresses, prefix, GROUPS, WATCHERS // len(GROUPS), 5, tmp_path, seconds=400 * SCALE) as crowd:
        with Writers([cluster.front()], prefix, GROUPS, RATE) as writers:

            def some_more(what):
                before = sum(map(len, writers.acknowledged.values()))
                until(lambda: sum(map(len, writers.acknowledged.values())) >= before + 3 * RATE, 60, f"writes {what}")

            some_more("before")
            for victim in ("api-2", "worker-2", cluster.queue_leader()):
                cluster.away([victim], "stopped")
                some_more(f"without {victim}")
                cluster.back([victim])
                some_more(f"with {victim} again")
        cluster.wait_until_drained()
        begun = time.monotonic()
        writers.finish()
        summary, kept = crowd.finish()
        late = time.monotonic() - begun
    check(writers, summary, kept)
    changes = sum(map(len, writers.acknowledged.values()))
    print(f"{WATCHERS + 5} watchers, {changes} changes in {writers.seconds:.0f} s, {writers.unknown} of unknown outcome: "
          f"{summary['events']} events, none lost, none doubled; {summary['reconnects']} reconnects; all told {late:.1f} s after the end")
    assert summary["reconnects"] > 0, "killing a server must cut its watchers"
