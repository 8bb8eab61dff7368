"""The dashboard is one that Grafana can import, every expression parses, and every metric is one that real processes have."""
import json
from itertools import combinations

import yaml

from promtool import DASHBOARD, METRIC, RECORDED, all_expressions, dashboard_expressions, panels, promtool, recorded
from support.metrics import fetch_metrics
from support.wait import until


def test_form():
    dashboard = json.loads(DASHBOARD.read_text())
    assert dashboard["title"] and dashboard["uid"] == "armazem" and dashboard["schemaVersion"] >= 36
    ids = [panel["id"] for panel in panels()]
    assert len(set(ids)) == len(ids) and all(ids)
    for panel in panels():
        assert panel["type"] == "row" or (panel["description"] and panel["targets"]), panel["title"]
        references = [target["refId"] for target in panel.get("targets", [])]
        assert len(set(references)) == len(references), panel["title"]


def test_panels_do_not_overlap():
    for one, other in combinations((panel["gridPos"] | {"title": panel["title"]} for panel in panels()), 2):
        apart = (one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
                 or one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"])
        assert apart, (one, other)
        assert one["x"] + one["w"] <= 24


def parse_all(directory, expressions):
    """promtool has no command that only parses in Debian 12; as recording rules it parses all of them."""
    rules = [{"record": f"parsed:{number}", "expr": text.replace("$__rate_interval", "5m").replace("$instance", ".*")}
             for number, text in enumerate(expressions)]
    path = directory / "parsed.yaml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "parsed", "rules": rules}]}))
    return promtool("check", "rules", path)


def test_expressions_parse(tmp_path):
    code, text = parse_all(tmp_path, dashboard_expressions().values())
    assert code == 0, text
    assert parse_all(tmp_path, ["rate(armazem_x[5m]"])[0] != 0


def test_every_metric_exists(api_metrics, worker_metrics, rocksdb_metrics):
    """In /metrics of an API with all tiers, of a worker, or of an API with its own RocksDB."""
    existing = {name for metrics in (api_metrics, worker_metrics, rocksdb_metrics) for name, _ in metrics.samples}
    for where, expression in all_expressions().items():
        missing = set(METRIC.findall(expression)) - existing
        assert not missing, f"{where}: no process has {missing}"
        assert set(RECORDED.findall(expression)) <= set(recorded()), where


def test_every_label_value_exists(api_metrics):
    """Routes and methods are matched by pattern: those must match what processes say."""
    routes = {dict(labels)["route"] for name, labels in api_metrics.samples if name == "armazem_http_requests_total"}
    assert {"/store", "/store/{key}"} <= routes
    results = {dict(labels)["result"] for name, labels in api_metrics.samples if name == "armazem_cache_lookups_total"}
    assert {"hit", "negative-hit"} <= results


def test_dead_letters_are_counted(cluster):
    """The gauge is there once a worker has looked at the queue of dead letters."""
    until(lambda: fetch_metrics(cluster.worker(1)).samples.get(("armazem_queue_dead_letters", ())) is not None, 30,
          "a worker's count of dead letters")
