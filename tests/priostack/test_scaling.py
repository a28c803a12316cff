"""The manifests of deploy/ and compose.yaml: they parse, fit together, and say nothing that the settings do not know."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from market.rules import Settings
from tests.priostack.test_docs import urls

ROOT = Path(__file__).resolve().parents[2]
MANIFEST = ROOT / "deploy" / "kubernetes.yaml"
FOREIGN = {
    "POSTGRES_USER",
    "POSTGRES_PASSWORD",
    "PGDATA",
    "MALLOC_ARENA_MAX",
}  # of images, and of the C library


def documents() -> list[dict[str, Any]]:
    return list(yaml.safe_load_all(MANIFEST.read_text()))


def of(kind: str) -> dict[str, dict[str, Any]]:
    return {one["metadata"]["name"]: one for one in documents() if one["kind"] == kind}


def workloads() -> dict[str, dict[str, Any]]:
    return {**of("Deployment"), **of("StatefulSet"), **of("Job")}


def containers() -> Iterator[tuple[str, dict[str, Any]]]:
    for name, one in workloads().items():
        pod = one["spec"]["template"]["spec"]
        for container in [*pod.get("initContainers", []), *pod["containers"]]:
            yield name, container


def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
    return loaded


def known(name: str) -> bool:
    return f"`{name}`" in (ROOT / "templates" / "docs" / "settings.md").read_text() or name in FOREIGN


def test_every_object_has_a_name_of_its_own_in_one_namespace() -> None:
    names = [(one["kind"], one["metadata"]["name"]) for one in documents()]
    assert len(names) == len(set(names))
    assert {one["metadata"]["namespace"] for one in documents()} == {"priostack"}
    assert {"web", "edge", "worker", "clock", "postgres", "valkey", "migrate"} == workloads().keys()


def test_selectors_find_their_own_pods_and_no_others() -> None:
    labels = {name: one["spec"]["template"]["metadata"]["labels"] for name, one in workloads().items()}
    for name, one in {**of("Deployment"), **of("StatefulSet"), **of("PodDisruptionBudget")}.items():
        wanted = one["spec"]["selector"]["matchLabels"]
        assert [pod for pod, mine in labels.items() if wanted.items() <= mine.items()] == [name]
    for name, one in of("Service").items():
        assert [pod for pod, mine in labels.items() if one["spec"]["selector"].items() <= mine.items()] == [
            name
        ]


def test_every_container_has_requests_and_limits_and_what_stays_is_probed() -> None:
    for name, container in containers():
        sizes = container["resources"]
        assert sizes["requests"].keys() == sizes["limits"].keys() == {"cpu", "memory"}, name
    for name, one in {**of("Deployment"), **of("StatefulSet")}.items():
        for container in one["spec"]["template"]["spec"]["containers"]:
            assert "livenessProbe" in container, name
            assert "ports" not in container or "readinessProbe" in container, name


def test_nothing_of_ours_runs_as_root_or_gains_rights() -> None:
    for name, one in workloads().items():
        pod = one["spec"]["template"]["spec"]
        if name != "postgres":  # its image changes its user by itself
            assert pod["securityContext"]["runAsNonRoot"] is True, name
    for name in ("web", "edge", "worker", "clock"):
        (container,) = workloads()[name]["spec"]["template"]["spec"]["containers"]
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
        }


def test_services_and_probes_speak_of_ports_that_are_there() -> None:
    ports = {
        name: {port["name"]: port["containerPort"] for port in container.get("ports", [])}
        for name, container in containers()
        if container["name"] == name
    }
    for name, one in of("Service").items():
        for port in one["spec"]["ports"]:
            assert ports[name][port.get("targetPort", port["name"])] == port["port"]
    for name, container in containers():
        for probe in (container.get("livenessProbe", {}), container.get("readinessProbe", {})):
            for way in ("httpGet", "tcpSocket"):
                assert way not in probe or probe[way]["port"] in ports[name], name


def test_volumes_that_are_mounted_are_declared() -> None:
    claims = of("PersistentVolumeClaim")
    for name, one in workloads().items():
        pod = one["spec"]["template"]["spec"]
        there = {volume["name"] for volume in pod.get("volumes", [])}
        there |= {volume["metadata"]["name"] for volume in one["spec"].get("volumeClaimTemplates", [])}
        for container in [*pod.get("initContainers", []), *pod["containers"]]:
            assert {mount["name"] for mount in container["volumeMounts"]} <= there, name
        for volume in pod.get("volumes", []):
            assert (
                "persistentVolumeClaim" not in volume
                or volume["persistentVolumeClaim"]["claimName"] in claims
            )


def test_every_variable_is_one_that_the_settings_know() -> None:
    names = set(of("ConfigMap")["priostack"]["data"])
    names |= {one["name"] for _, container in containers() for one in container.get("env", [])}
    names |= {name for one in compose()["services"].values() for name in one.get("environment", {})}
    assert {"REDIS_URL", "PRIOSTACK_MARKET_SLOTS"} <= names
    assert [name for name in sorted(names) if not known(name)] == []
    assert all(isinstance(value, str) for value in of("ConfigMap")["priostack"]["data"].values())
    comment = MANIFEST.read_text().split("apiVersion")[0]
    assert set(re.findall(r"--from-literal=(\w+)=", comment)) == {
        "SECRET_KEY",
        "POSTGRES_PASSWORD",
        "DATABASE_URL",
    }
    assert "kind: Secret" not in MANIFEST.read_text()


def test_the_roles_are_started_as_compose_starts_them() -> None:
    for name in ("web", "worker", "clock"):
        (container,) = workloads()[name]["spec"]["template"]["spec"]["containers"]
        assert container["command"] == compose()["services"][name]["command"], name
    (edge,) = workloads()["edge"]["spec"]["template"]["spec"]["containers"]
    assert edge["command"][:-1] == compose()["services"]["edge"]["command"][:-1]
    assert (ROOT / "scripts" / "healthy.py").exists()


def test_there_is_one_clock_and_never_two() -> None:
    clock = of("Deployment")["clock"]["spec"]
    assert (clock["replicas"], clock["strategy"]["type"]) == (1, "Recreate")
    assert "replicas" not in compose()["services"]["clock"].get("deploy", {})


def test_the_market_sells_what_its_threshold_promises() -> None:
    data = of("ConfigMap")["priostack"]["data"]
    slots, threshold = (int(data[f"PRIOSTACK_MARKET_{name}"]) for name in ("SLOTS", "THRESHOLD"))
    rules = Settings(slots=slots, threshold=threshold)
    assert rules.capacity == rules.threshold * rules.free_cu
    cores = of("Deployment")["edge"]["spec"]["replicas"]
    assert threshold == Settings().threshold * cores


def test_the_ingress_sends_the_platform_to_web_and_tenants_to_edge() -> None:
    (rule,) = of("Ingress")["priostack"]["spec"]["rules"]
    to = {(path["path"], path["pathType"]): path["backend"]["service"] for path in rule["http"]["paths"]}
    assert to.pop(("/", "Prefix"))["name"] == "edge"
    assert {one["name"] for one in to.values()} == {"web"}
    first = {str(pattern.pattern).split("/")[0] for pattern in urls()} - {"", "metrics"}  # type: ignore[attr-defined]
    assert {f"/{segment}" for segment in first} <= {path for path, _ in to}
    ports = {(name, port["name"]) for name, one in of("Service").items() for port in one["spec"]["ports"]}
    assert {(one["name"], one["port"]["name"]) for one in to.values()} <= ports
    target = of("HorizontalPodAutoscaler")["edge"]["spec"]["scaleTargetRef"]
    assert target["name"] in of("Deployment")


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="no kubectl on this machine")
def test_kubectl_builds_the_same_objects() -> None:
    done = subprocess.run(
        ["kubectl", "kustomize", str(ROOT / "deploy")],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    built = {(one["kind"], one["metadata"]["name"]) for one in yaml.safe_load_all(done.stdout)}
    assert built == {(one["kind"], one["metadata"]["name"]) for one in documents()}


def test_the_manifest_is_plain_data() -> None:
    json.dumps(documents())
    assert not re.search(r"[&*][a-z]+\b", MANIFEST.read_text().replace("/data/beat-schedule*", ""))
