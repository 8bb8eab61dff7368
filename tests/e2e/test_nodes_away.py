"""One node of each kind is killed or paused while clients run: no request fails beyond the failover window, whose length is
printed, and no acknowledged write is lost."""
import time

import pytest

from support.cluster_view import converged
from support.wait import until
from support.workload import ACKNOWLEDGED, Workload

# What may fail while the others find out; afterwards nothing may.
WINDOW_SECONDS = {"stopped": 10, "paused": 20}
CALM_AFTER_SECONDS = 5


VICTIMS = {
    "rabbitmq": lambda cluster: cluster.queue_leader(),
    "redis": lambda cluster: cluster.redis_primary(),
    "api": lambda cluster: "api-2",
    "worker": lambda cluster: "worker-2",
}


@pytest.mark.parametrize("how", ["stopped", "paused"])
@pytest.mark.parametrize("kind", VICTIMS)
def test_one_node_away(cluster, kind, how):
    victim = VICTIMS[kind](cluster)
    with Workload(cluster.front(), prefix=f"node-{kind}-{how}-{time.time_ns()}") as load:
        until(lambda: load.count("PUT", ACKNOWLEDGED) >= 200, 30, "the clients to be at work")
        broken = time.monotonic()
        cluster.away([victim], how)
        settled = broken + WINDOW_SECONDS[how]
        until(lambda: time.monotonic() > settled + CALM_AFTER_SECONDS, WINDOW_SECONDS[how] + 30, "the time away")
        healing = time.monotonic()
        cluster.back([victim])
        healed = time.monotonic()
        until(lambda: load.count("PUT", (200, 201), since=healed) >= 200, 60, "applied writes after the healing")

    good = (*ACKNOWLEDGED, 404)
    failed = load.failures(good, broken, settled)
    window = f"{failed[1] - broken:.2f} s, {failed[2]} requests" if failed else "none failed"
    print(f"{victim} {how}: failover window {window}; longest gap {load.longest_gap('PUT', ACKNOWLEDGED, broken, settled):.2f} s; "
          f"away {load.rate('PUT', ACKNOWLEDGED, settled, healing):.0f} PUT/s; back after {healed - healing:.1f} s")
    assert load.violations == []
    assert load.failures(good, settled, healing) is None, load.statuses("PUT", settled, healing)
    cluster.wait_until_drained()
    converged(load, cluster.front())
