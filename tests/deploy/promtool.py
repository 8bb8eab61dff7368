"""promtool, and what the rules and the dashboard say: expressions, and the metrics that stand in them."""
import json
import re
import shutil
import subprocess
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
RULES = ROOT / "deploy/prometheus/armazem.rules.yaml"
DASHBOARD = ROOT / "deploy/grafana/armazem.json"
METRIC = re.compile(r"\b(?:armazem|process)_[a-z0-9_]+")
RECORDED = re.compile(r"\barmazem:[a-z0-9_:]+")


def promtool(*arguments):
    """(exit code, everything it printed)."""
    program = shutil.which("promtool")
    assert program, "promtool is not installed (Debian package prometheus; scripts/packages.sh, purpose 'deploy')"
    done = subprocess.run([program, *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=120)
    return done.returncode, done.stdout


def groups():
    return yaml.safe_load(RULES.read_text())["groups"]


def alerts():
    return {rule["alert"]: rule for group in groups() for rule in group["rules"] if "alert" in rule}


def recorded():
    return {rule["record"]: rule for group in groups() for rule in group["rules"] if "record" in rule}


def panels():
    """All of the dashboard, those inside rows too."""
    found = []
    for panel in json.loads(DASHBOARD.read_text())["panels"]:
        found += [panel, *panel.get("panels", [])]
    return found


def dashboard_expressions():
    return {f"{panel['title']} {target['refId']}": target["expr"] for panel in panels() for target in panel.get("targets", [])}


def all_expressions():
    rules = {name: rule["expr"] for name, rule in {**alerts(), **recorded()}.items()}
    return {**rules, **dashboard_expressions()}
