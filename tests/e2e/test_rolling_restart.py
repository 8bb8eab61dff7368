"""./start.sh --cluster --rolling-restart: every worker and every API is a new process afterwards, and no request failed."""
import time

import pytest

from cluster import StartFailed
from support.cluster_view import converged
from support.wait import until
from support.workload import ACKNOWLEDGED, Workload


def processes(cluster):
    return {name: cluster.cluster.components[name].daemon.running() for name in cluster.parts("api") + cluster.parts("worker")}


def test_without_a_failed_request(cluster):
    """New connections each time: one that is kept may be closed by NGINX in the moment in which its client writes, after
    which HTTP has the client ask again (RFC 9112, 9.3.1)."""
    before = processes(cluster)
    with Workload(cluster.front(), prefix=f"rolling-{time.time_ns()}", keep_alive=False) as load:
        until(lambda: load.count("PUT", ACKNOWLEDGED) >= 200, 60, "the clients to be at work")
        begun = time.monotonic()
        cluster.cluster.restart_rolling()
        ended = time.monotonic()
        until(lambda: load.count("PUT", ACKNOWLEDGED, since=ended) >= 200, 60, "the clients to go on")
    after = processes(cluster)
    assert all(after[name] and after[name] != pid for name, pid in before.items()), (before, after)
    print(f"{len(after)} processes restarted in {ended - begun:.1f} s: {load.statuses('PUT', begun, ended)} PUT, "
          f"{load.statuses('GET', begun, ended)} GET, longest gap {load.longest_gap('PUT', ACKNOWLEDGED, begun, ended):.2f} s")
    assert set(load.statuses("PUT")) <= set(ACKNOWLEDGED), load.statuses("PUT")
    assert set(load.statuses("GET")) <= {200}, load.statuses("GET")
    assert load.violations == []
    cluster.wait_until_drained()
    converged(load, cluster.front())


def test_one_that_does_not_come_back_gets_no_requests(cluster, monkeypatch):
    """The new program is broken: the restart ends at the first API, the others serve, and `start` mends it."""
    api = cluster.cluster.components["api-1"]
    before = processes(cluster)
    monkeypatch.setattr(api, "command", lambda: ["/bin/false"])
    with Workload(cluster.front(), prefix=f"broken-{time.time_ns()}", keep_alive=False) as load:
        until(lambda: load.count("PUT", ACKNOWLEDGED) >= 50, 60, "the clients to be at work")
        with pytest.raises(StartFailed, match="api-1"):
            cluster.cluster.restart_rolling()
        broken = time.monotonic()
        until(lambda: load.count("PUT", ACKNOWLEDGED, since=broken) >= 200, 60, "the others to carry on")
    assert set(load.statuses("PUT")) <= set(ACKNOWLEDGED), load.statuses("PUT")
    assert processes(cluster)["api-2"] == before["api-2"]
    assert cluster.cluster.components["nginx"].leaves_some_out()
    monkeypatch.undo()
    cluster.heal()
    assert not cluster.cluster.components["nginx"].leaves_some_out()


def test_not_while_a_part_is_away(cluster):
    before = processes(cluster)
    cluster.away(["api-2"], "stopped")
    with pytest.raises(RuntimeError, match="api-2"):
        cluster.cluster.restart_rolling()
    assert processes(cluster) == {**before, "api-2": None}
