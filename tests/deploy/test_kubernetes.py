"""The manifests: every field exists in the type of who reads it, and what they say fits together and fits the program."""
import re
import shutil
import subprocess

import pytest
import yaml

from manifests import KUBERNETES, check, matches, objects, of_kind, pods
from promtool import RULES
from support.server import binary, child_environment

BASE, EXAMPLE, OPERATORS = KUBERNETES / "base", KUBERNETES / "overlays/example", KUBERNETES / "operators"
DURATION = re.compile(r"(\d+)s")


@pytest.mark.parametrize("directory", [BASE, EXAMPLE, OPERATORS], ids=lambda path: path.name)
def test_every_object_is_understood(directory):
    assert objects(directory)


# (file, right, wrong, what the message must name): a typo of each kind, in an object of each origin.
TYPOS = [
    ("base/api.yaml", "maxUnavailable: 0", "maxUnavaliable: 0", "maxUnavaliable"),
    ("base/api.yaml", "periodSeconds: 10", "periodSeconds: often", "Deployment armazem-api"),
    ("base/api.yaml", "minReplicas: 3", "minReplica: 3", "minReplica"),
    ("base/worker.yaml", "minReplicaCount", "minReplicas", "minReplicas"),
    ("base/monitoring.yaml", "podMetricsEndpoints", "podMetricEndpoints", "podMetricEndpoints"),
    ("base/network-policies.yaml", "kind: NetworkPolicy", "kind: NetworkPolice", "NetworkPolice"),
    ("base/migrate.yaml", "backoffLimit", "backofLimit", "backofLimit"),
    ("operators/rabbitmq.yaml", "replicas: 3", "replica: 3", "replica"),
    ("operators/postgres.yaml", "dataDurability", "durability", "durability"),
]


@pytest.mark.parametrize("file, right, wrong, named", TYPOS, ids=[f"{typo[0]}-{typo[3]}" for typo in TYPOS])
def test_a_typo_is_found(tmp_path, file, right, wrong, named):
    shutil.copytree(KUBERNETES, tmp_path / "kubernetes")
    path = tmp_path / "kubernetes" / file
    text = path.read_text()
    assert right in text
    path.write_text(text.replace(right, wrong, 1))
    code, _, complaint = check(path.parent)
    assert code == 1 and named in complaint, complaint


def test_the_rules_fit_into_a_prometheus_rule(tmp_path):
    """As README.md makes it: the same groups below `spec`."""
    rule = {"apiVersion": "monitoring.coreos.com/v1", "kind": "PrometheusRule", "metadata": {"name": "armazem"},
            "spec": yaml.safe_load(RULES.read_text())}
    (tmp_path / "rule.yaml").write_text(yaml.safe_dump(rule))
    (tmp_path / "kustomization.yaml").write_text(yaml.safe_dump({"resources": ["rule.yaml"]}))
    code, _, complaint = check(tmp_path)
    assert code == 0, complaint


def known_settings():
    """{environment variable: default} as the program itself says."""
    text = subprocess.run([binary(), "settings", "--markdown"], stdout=subprocess.PIPE, text=True, check=True,
                          env=child_environment(), timeout=30).stdout
    return dict(re.findall(r"^\| `--[a-z-]+` \| `(ARMAZEM_[A-Z_]+)` \| [^|]+ \| `([^`]*)` \|", text, re.MULTILINE))


def variables(found, template):
    """{name: value}, None for what a Secret holds."""
    (container,) = template["spec"]["containers"]
    values = {one["name"]: one.get("value") for one in container.get("env", [])}
    for source in container.get("envFrom", []):
        values |= of_kind(found, "ConfigMap")[source["configMapRef"]["name"]]["data"]
    return values


@pytest.mark.parametrize("directory", [BASE, EXAMPLE], ids=lambda path: path.name)
def test_every_variable_is_a_setting_and_every_argument_a_command(directory):
    found, known = objects(directory), known_settings()
    assert len(known) > 20
    for name, template in pods(found).items():
        assert set(variables(found, template)) <= set(known), name
        (container,) = template["spec"]["containers"]
        done = subprocess.run([binary(), *container["args"], "--help"], stdout=subprocess.PIPE, env=child_environment(), timeout=30)
        assert done.returncode == 0, container["args"]


@pytest.mark.parametrize("directory", [BASE, EXAMPLE], ids=lambda path: path.name)
def test_the_program_takes_the_values(directory):
    """It refuses the first value that it cannot read, in the order of its settings: here that is the last of them, which is
    wrong on purpose, so that it opens nothing."""
    found = objects(directory)
    for name, template in pods(found).items():
        values = {key: value for key, value in variables(found, template).items() if value is not None}
        values["ARMAZEM_TEST_CLOCK_OFFSET"] = "never"
        assert list(known_settings())[-1] == "ARMAZEM_TEST_CLOCK_OFFSET"
        done = subprocess.run([binary(), *template["spec"]["containers"][0]["args"]], env=child_environment(values),
                              stderr=subprocess.PIPE, text=True, timeout=30)
        assert done.returncode == 2 and "--test-clock-offset" in done.stderr, (name, done.stderr)


def test_pods_are_like_ours():
    for name, template in pods(objects(BASE)).items():
        spec = template["spec"]
        (container,) = spec["containers"]
        assert spec["securityContext"]["runAsNonRoot"] and spec["securityContext"]["seccompProfile"]["type"] == "RuntimeDefault"
        security = container["securityContext"]
        assert security["readOnlyRootFilesystem"] and not security["allowPrivilegeEscalation"], name
        assert security["capabilities"] == {"drop": ["ALL"]}
        assert container["resources"]["requests"]["cpu"] and container["resources"]["limits"]["memory"]
        assert spec["automountServiceAccountToken"] is False
        # ARMAZEM_API_SERVICE_HOST and the like would keep the program from starting.
        assert spec["enableServiceLinks"] is False, name


def test_a_stop_has_time_to_end():
    """preStop, the grace time and the store's deadline end before Kubernetes kills."""
    found, known = objects(BASE), known_settings()
    for name in ("armazem-api", "armazem-worker"):
        template = pods(found)[name]
        values = {**known, **variables(found, template)}
        seconds = [int(DURATION.fullmatch(values[key])[1]) for key in ("ARMAZEM_GRACE", "ARMAZEM_STORE_TIMEOUT")]
        before = template["spec"]["containers"][0].get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
        assert before + sum(seconds) + 5 <= template["spec"]["terminationGracePeriodSeconds"], name
        assert before or name == "armazem-worker", "new connections come until every proxy has heard of the end"


@pytest.mark.parametrize("directory", [BASE, EXAMPLE], ids=lambda path: path.name)
def test_selectors_and_ports_meet(directory):
    found = objects(directory)
    labels = {name: template["metadata"]["labels"] for name, template in pods(found).items()}
    ports = {name: {port["name"]: port["containerPort"] for port in template["spec"]["containers"][0].get("ports", [])}
             for name, template in pods(found).items()}
    for name, deployment in of_kind(found, "Deployment").items():
        assert matches(deployment["spec"]["selector"], labels[name])
        (container,) = deployment["spec"]["template"]["spec"]["containers"]
        for probe in ("livenessProbe", "readinessProbe", "startupProbe"):
            assert container[probe]["httpGet"]["port"] in ports[name]
        assert variables(found, deployment["spec"]["template"])["ARMAZEM_PORT"] == str(ports[name]["http"])
        assert [b for b in of_kind(found, "PodDisruptionBudget").values() if matches(b["spec"]["selector"], labels[name])]
        assert "replicas" not in deployment["spec"], "the autoscaler decides"
    for name, service in of_kind(found, "Service").items():
        chosen = [pod for pod in labels if matches({"matchLabels": service["spec"]["selector"]}, labels[pod])]
        assert chosen == ["armazem-api"]
        assert all(port["targetPort"] in ports["armazem-api"] for port in service["spec"]["ports"])
    for policy in of_kind(found, "NetworkPolicy").values():
        chosen = [pod for pod in labels if matches(policy["spec"]["podSelector"], labels[pod])]
        assert chosen, policy["metadata"]["name"]
        for rule in policy["spec"].get("ingress", []):
            for port in rule["ports"]:
                assert all(port["port"] in ports[pod].values() for pod in chosen)
        if policy["metadata"]["name"] == "armazem-to-tiers":
            assert sorted(chosen) == sorted(labels), "all of ours reach the tiers"
    (monitor,) = of_kind(found, "PodMonitor").values()
    assert [pod for pod in labels if matches(monitor["spec"]["selector"], labels[pod])] == ["armazem-api", "armazem-worker"]
    targets = [one["spec"]["scaleTargetRef"]["name"] for kind in ("HorizontalPodAutoscaler", "ScaledObject")
               for one in of_kind(found, kind).values()]
    assert sorted(targets) == sorted(of_kind(found, "Deployment"))


def test_only_what_clients_may_use_is_published():
    (ingress,) = of_kind(objects(BASE), "Ingress").values()
    paths = [path["path"] for rule in ingress["spec"]["rules"] for path in rule["http"]["paths"]]
    assert not [path for path in paths if path == "/" or path.startswith(("/metrics", "/health"))], paths
    snippets = "".join(value for name, value in ingress["metadata"]["annotations"].items() if name.endswith("-snippets"))
    assert "merge_slashes off;" in snippets and "proxy_next_upstream off;" in snippets


def test_no_secret_has_a_value():
    for directory in (BASE, EXAMPLE, OPERATORS):
        assert not of_kind(objects(directory), "Secret")
    assert not re.search(r"(amqp|postgres|redis)s?://[^\s/]+:(?!PASSWORD\b|\$)[^\s@]+@", "".join(
        path.read_text() for path in KUBERNETES.rglob("*") if path.is_file()))
