"""A tier is taken away completely while clients run: reads and writes go on, nothing acknowledged is lost, and afterwards
everything converges. DESIGN: one tier may be lost; only queue and store together stop writes."""
import time

import pytest

from support.client import Client
from support.cluster_view import converged
from support.wait import until
from support.workload import ACKNOWLEDGED, Workload

CALM_SECONDS = 3
AWAY_SECONDS = 8
# Detecting a silent server takes a time-out, and each of them is bounded: afterwards every request must succeed again.
WINDOW_SECONDS = {"stopped": 5, "paused": 12}

TIERS = {"redis": "redis", "rabbitmq": "rabbitmq", "store": "sql"}


def servers(cluster, tier):
    """epmd is RabbitMQ's address book, not a broker: a broker that is gone is gone without it."""
    return [name for name in cluster.parts(TIERS[tier]) if name != "epmd"]


@pytest.mark.parametrize("how", ["stopped", "paused"])
@pytest.mark.parametrize("tier", TIERS)
def test_one_tier_away(cluster, tier, how):
    names = servers(cluster, tier)
    prefix = f"{tier}-{how}-{time.time_ns()}"
    warm = Client(cluster.front())
    # 202 while the workers still come back from what an earlier test did.
    until(lambda: warm.put(f"{prefix}-known", b"0").status in (200, 201), 60, "a write to be applied at once")
    assert warm.get(f"{prefix}-known", query="?raw").status == 200  # in the cache from now on
    with Workload(cluster.front(), prefix=prefix) as load:
        until(lambda: load.count("PUT", ACKNOWLEDGED) >= 200, 30, "the clients to be at work")
        calm = time.monotonic()
        until(lambda: time.monotonic() > calm + CALM_SECONDS, CALM_SECONDS + 5, "a calm time to compare with")
        broken = time.monotonic()
        cluster.away(names, how)
        settled = broken + WINDOW_SECONDS[how]
        until(lambda: time.monotonic() > settled + AWAY_SECONDS, WINDOW_SECONDS[how] + AWAY_SECONDS + 30, "the time away")
        healing = time.monotonic()
        cluster.back(names)
        healed = time.monotonic()
        until(lambda: load.count("PUT", (200, 201), since=healed) >= 200, 60, "applied writes after the healing")
        end = time.monotonic()

    puts, gets = load.statuses("PUT", settled, healing), load.statuses("GET", settled, healing)
    window = load.failures((*ACKNOWLEDGED, 404), broken, settled)
    print(f"{tier} {how}: before {load.rate('PUT', ACKNOWLEDGED, calm, broken):.0f} PUT/s, "
          f"away {load.rate('PUT', ACKNOWLEDGED, settled, healing):.0f} PUT/s {puts} GET {gets}; "
          f"failed in the first {WINDOW_SECONDS[how]} s: {window[2] if window else 0}, "
          f"longest gap {load.longest_gap('PUT', ACKNOWLEDGED, broken, settled):.2f} s; healed after {healed - healing:.1f} s, "
          f"whole {load.statuses('PUT')} in {end - calm:.0f} s")
    assert load.violations == []
    assert set(puts) <= set(ACKNOWLEDGED), f"writes failed while {tier} was away: {puts}"
    assert load.count("PUT", ACKNOWLEDGED, settled, healing) > 50
    assert load.count("GET", (200,), settled, healing) > 50
    if tier == "store":
        assert set(puts) == {202}, "nothing can be applied without the store"
    else:
        assert set(gets) <= {200}, f"reads failed while {tier} was away: {gets}"
        assert set(puts) <= {200, 201}, f"the store was there, so writes must have been applied: {puts}"

    cluster.wait_until_drained()
    seconds = converged(load, cluster.front())
    print(f"{tier} {how}: converged {seconds:.1f} s after the clients stopped; keys checked: {len(load.histories)}")


def test_queue_and_store_away_refuses_writes_and_says_so(cluster):
    """Both roads are gone: 503 with Retry-After promises that nothing happened."""
    names = [*servers(cluster, "rabbitmq"), *servers(cluster, "store")]
    client = Client(cluster.front())
    key = f"both-{time.time_ns()}"
    assert client.put(key, b"before").status == 201
    assert client.get(key, query="?raw").body == b"before"
    cluster.away(names, "stopped")

    def refused():
        response = client.put(key, b"after")
        return response if response.status == 503 else None
    response = until(refused, 30, "503 for a write")
    assert response.header("Retry-After") and response.json()["retryable"] is True
    assert client.get(key, query="?raw").body == b"before", "the cache still serves what it has"
    cluster.back(names)
    assert client.get(key, {"Cache-Control": "no-cache"}, "?raw").body == b"before"
    until(lambda: client.put(key, b"after").status == 200, 60, "writes to work again")
