"""/metrics: strictly the Prometheus text format, the promised names, and numbers that agree with what was done."""
import re

import pytest

from support.metrics import fetch_metrics, parse
from support.wait import until

NAMES = {
    "armazem_http_requests_total": "counter",
    "armazem_http_request_duration_seconds": "histogram",
    "armazem_http_connections": "gauge",
    "armazem_http_inflight_body_bytes": "gauge",
    "armazem_http_rejected_total": "counter",
    "armazem_clock_skew_seconds": "gauge",
    "armazem_build_info": "gauge",
    "process_cpu_seconds_total": "counter",
    "process_resident_memory_bytes": "gauge",
    "process_open_fds": "gauge",
    "process_max_fds": "gauge",
    "process_start_time_seconds": "gauge",
}
LABELS = {
    "armazem_http_requests_total": {"route", "method", "status"},
    "armazem_http_request_duration_seconds": {"route", "method"},
    "armazem_http_rejected_total": {"reason"},
    "armazem_build_info": {"version", "commit"},
}
ROUTES = {"/store", "/store/{key}", "/operations/{version}", "/health/live", "/health/ready", "/metrics", "/openapi.json", "/", "other"}


@pytest.fixture
def metrics(own_server):
    return lambda: fetch_metrics(own_server.address)


def rises_to(metrics, wanted, name, **labels):
    """A request may be counted a moment after its answer was sent."""
    return until(lambda: metrics().value(name, **labels) >= wanted, 5, f"{name} {labels} reaches {wanted}")


def test_format_and_content_type(client):
    response = client.request("GET", "/metrics")
    assert response.status == 200
    assert re.fullmatch(r"text/plain; ?version=0\.0\.4(; ?charset=utf-8)?", response.header("Content-Type"))
    parse(response.body.decode("utf-8"))


def test_promised_names_types_and_labels(server, client, key):
    client.put(key, b"x")
    client.request("GET", "/nowhere")
    seen = fetch_metrics(server.address)
    for name, kind in NAMES.items():
        assert seen.types.get(name) == kind, f"{name}: {seen.types.get(name)}"
        assert seen.helps.get(name), f"{name} has no HELP"
    if server.owned:  # another store has other figures
        assert any(name.startswith("armazem_store_") and kind == "counter" for name, kind in seen.types.items())
        assert any(name.startswith("armazem_store_") and kind == "histogram" for name, kind in seen.types.items())
    for (sample, labels), _ in seen.samples.items():
        family = seen.family_of(sample)
        if family in LABELS:
            assert {label for label, _ in labels} - {"le"} == LABELS[family], f"{sample} {labels}"


@pytest.mark.parametrize("method, target, body, route, status", [
    ("PUT", "/store/{key}", b"x", "/store/{key}", "201"),
    ("GET", "/store/{key}-absent", None, "/store/{key}", "404"),
    ("HEAD", "/store/{key}-absent", None, "/store/{key}", "404"),
    ("DELETE", "/store/{key}-absent", None, "/store/{key}", "404"),
    ("PUT", "/store", b"x", "/store", "415"),
    ("GET", "/health/live", None, "/health/live", "200"),
    ("GET", "/health/ready", None, "/health/ready", "200"),
    ("GET", "/openapi.json", None, "/openapi.json", "200"),
    ("GET", "/operations/yesterday?key={key}", None, "/operations/{version}", "400"),
    ("GET", "/nowhere/{key}", None, "other", "404"),
    ("POST", "/store/{key}", b"", "/store/{key}", "405"),
])
def test_request_counter_moves_by_one_each(metrics, client, key, method, target, body, route, status):
    labels = {"route": route, "method": method, "status": status}
    before = metrics().value("armazem_http_requests_total", **labels)
    for number in range(3):
        response = client.request(method, target.format(key=f"{key}-{number}"), body=body)
        assert response.status == int(status)
        rises_to(metrics, before + number + 1, "armazem_http_requests_total", **labels)
    assert metrics().value("armazem_http_requests_total", **labels) == before + 3


def test_durations_count_what_the_counter_counts(metrics, client, key):
    before = metrics()
    for _ in range(20):
        client.get(key)
    labels = {"route": "/store/{key}", "method": "GET"}
    name = "armazem_http_request_duration_seconds"
    rises_to(metrics, before.value(name + "_count", **labels) + 20, name + "_count", **labels)
    after = metrics()
    assert after.value(name + "_count", **labels) == before.value(name + "_count", **labels) + 20
    assert after.value(name + "_count", **labels) == after.total("armazem_http_requests_total", **labels)
    spent = after.value(name + "_sum", **labels) - before.value(name + "_sum", **labels)
    assert 0 < spent < 60


def test_labels_are_bounded_whatever_clients_send(metrics, client, key):
    """A label value taken from the request would let any client fill the memory of the monitoring."""
    for number in range(20):
        client.request("GET", f"/nowhere-{number}")
        client.request(f"BREW{number}", f"/store/{key}-{number}")
        client.get(f"{key}-{number}")
    text = str(metrics().samples)
    assert "nowhere-" not in text and "BREW" not in text and key not in text
    routes = {dict(labels)["route"] for (name, labels) in metrics().samples if name == "armazem_http_requests_total"}
    assert routes <= ROUTES | {"/swagger-ui/{file}"}


def test_connections_gauge_follows(metrics, own_server, connect):
    before = metrics().value("armazem_http_connections")
    for _ in range(10):
        connect(own_server).exchange(b"GET /health/live HTTP/1.1\r\nHost: t\r\n\r\n")
    assert metrics().value("armazem_http_connections") >= before + 9
    assert metrics().value("armazem_http_connections") < before + 15


def test_connections_gauge_falls_again(metrics, own_server, connect):
    opened = [connect(own_server) for _ in range(10)]
    for connection in opened:
        connection.exchange(b"GET /health/live HTTP/1.1\r\nHost: t\r\n\r\n")
    high = metrics().value("armazem_http_connections")
    for connection in opened:
        connection.close()
    until(lambda: metrics().value("armazem_http_connections") <= high - 9, 10, "closed connections leave the gauge")


def test_store_counters_move_with_writes(metrics, client, key):
    def stored():
        samples = metrics().samples
        return sum(value for (name, _), value in samples.items() if re.fullmatch("armazem_store_mutations(_total)?", name))

    before = stored()
    for number in range(5):
        client.put(f"{key}-{number}", b"x")
    until(lambda: stored() >= before + 5, 5, "armazem_store_mutations_total moves with writes")


@pytest.mark.edge
def test_malformed_requests_are_counted_as_rejected(metrics, own_server, connect):
    before = metrics().total("armazem_http_rejected_total")
    for _ in range(3):
        assert connect(own_server).exchange(b"GET / HTTP/1.1\r\nbroken\r\n\r\n").status == 400
    until(lambda: metrics().total("armazem_http_rejected_total") >= before + 3, 5, "armazem_http_rejected_total")


def test_gauges_are_plausible(metrics, client):
    now = metrics()
    assert now.value("armazem_http_inflight_body_bytes") == 0
    assert 1 << 20 < now.value("process_resident_memory_bytes") < 4 << 30
    assert 3 < now.value("process_open_fds") <= now.value("process_max_fds")
    assert now.total("armazem_build_info") == 1
    assert abs(now.value("armazem_clock_skew_seconds")) < 1


class TestTheReaderItself:
    """The strict reader must have teeth: what Prometheus would refuse, it refuses."""

    GOOD = "# HELP a_total A.\n# TYPE a_total counter\na_total{x=\"1\"} 2\n"
    HISTOGRAM = ("# TYPE h histogram\nh_bucket{le=\"1\"} %s\nh_bucket{le=\"+Inf\"} %s\nh_sum %s\nh_count %s\n")

    def test_good_text(self):
        assert parse(self.GOOD).value("a_total", x="1") == 2
        assert parse(self.HISTOGRAM % (1, 2, 3.5, 2)).value("h_count") == 2

    @pytest.mark.parametrize("text", [
        GOOD[:-1], "a_total 1\n", GOOD + "a_total{x=\"1\"} 3\n", GOOD + "# TYPE a_total counter\n", GOOD.replace(" 2", " two"),
        GOOD.replace(" 2", " -2"), GOOD.replace("x=\"1\"", "x=1"), GOOD.replace("x=\"1\"", "x=\"1\",x=\"2\""), GOOD.replace("x=\"1\"", "1x=\"1\""),
        GOOD + "# TYPE b gauge\nb 1\na_total{x=\"2\"} 1\n", GOOD.replace("counter", "counted"),
        HISTOGRAM % (3, 2, 3.5, 2), HISTOGRAM % (1, 2, 3.5, 3), (HISTOGRAM % (1, 2, 3.5, 2)).replace("+Inf", "2"),
    ], ids=range(14))
    def test_bad_text(self, text):
        with pytest.raises(AssertionError):
            parse(text)
