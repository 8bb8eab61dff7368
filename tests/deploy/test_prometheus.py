"""The alert rules hold what they promise, by promtool's unit tests, and the guide has a section for each of them."""
import re

import pytest
import yaml

from promtool import RULES, ROOT, alerts, promtool

# Every scalar is text: YAML would else read 0x10 as sixteen.
CASES = yaml.load((ROOT / "tests/deploy/alert_cases.yaml").read_text(), yaml.BaseLoader)
GUIDE = ROOT / "docs/operations.md"


def unit_test(name, case, fires):
    """As promtool reads it: at that moment the alert fires, or does not exist."""
    series = case["fires" if fires else "quiet"]
    firing = f'count(ALERTS{{alertname="{name}",alertstate="firing"}}) > bool 0'
    return {"name": f"{name} {'fires' if fires else 'is quiet'}", "interval": "1m",
            "input_series": [{"series": key, "values": values} for key, values in series.items()],
            "promql_expr_test": [{"expr": firing, "eval_time": case["at"],
                                  "exp_samples": [{"labels": "{}", "value": 1}] if fires else []}]}


def run_unit_tests(directory, tests, rules=RULES):
    path = directory / "tests.yaml"
    path.write_text(yaml.safe_dump({"rule_files": [str(rules)], "evaluation_interval": "1m", "tests": tests}))
    return promtool("test", "rules", path)


def test_rules_and_scrape_configuration_are_well_formed():
    for arguments in (("check", "rules", RULES), ("check", "config", ROOT / "deploy/prometheus/prometheus.yaml")):
        code, text = promtool(*arguments)
        assert code == 0, text


def test_every_alert_has_a_firing_and_a_quiet_case():
    assert sorted(CASES) == sorted(alerts())
    assert all(set(case) == {"at", "fires", "quiet"} for case in CASES.values())


def test_alerts_fire_and_are_quiet(tmp_path):
    tests = [unit_test(name, case, fires) for name, case in CASES.items() for fires in (True, False)]
    code, text = run_unit_tests(tmp_path, tests)
    assert code == 0, text


@pytest.mark.parametrize("expression, fires", [("vector(1) > 2", True), ("vector(1)", False)], ids=["never", "always"])
def test_the_cases_can_fail(tmp_path, expression, fires):
    """Rules that never fire fail each firing case; such that always fire fail each quiet case."""
    rules = tmp_path / "rules.yaml"
    mutants = [{"alert": name, "expr": expression} for name in CASES]
    rules.write_text(yaml.safe_dump({"groups": [{"name": "mutants", "rules": mutants}]}))
    code, text = run_unit_tests(tmp_path, [unit_test(name, case, fires) for name, case in CASES.items()], rules)
    assert code != 0
    assert [name for name in CASES if f'{{alertname=\\"{name}\\"' not in text] == [], text


def test_every_alert_has_its_section():
    sections = re.findall(r"^### (\w+)$", GUIDE.read_text(), re.MULTILINE)
    assert [name for name in sections if name.startswith("Armazem")] == list(alerts())
    for name, rule in alerts().items():
        assert rule["annotations"]["runbook_url"] == f"docs/operations.md#{name.lower()}"
        assert rule["labels"]["severity"] in ("critical", "warning")
        assert rule["annotations"]["summary"]
