"""Files beside the code: locks without addresses, one command for each job, a container for each role."""

import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]


def test_the_browser_lock_pins_hashes_and_names_no_addresses() -> None:
    packages = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    named = {path: entry for path, entry in packages.items() if path}
    assert [path for path, entry in named.items() if "resolved" in entry] == []
    assert [path for path, entry in named.items() if "integrity" not in entry] == []


def test_the_python_lock_pins_hashes_and_names_no_addresses() -> None:
    text = (ROOT / "requirements.lock").read_text()
    assert "://" not in text
    blocks = re.split(r"\n(?=[a-z0-9])", text.split("\n", 2)[2])
    assert [block.split()[0] for block in blocks if "==" in block and "--hash=sha256:" not in block] == []


@pytest.mark.parametrize("target", ["help", "run", "test", "lint", "bench", "build", "clean"])
def test_make_knows_and_explains_its_targets(target: str) -> None:
    told = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert re.search(rf"^{target} +\S", told, re.MULTILINE)


def test_compose_has_a_container_for_each_role_with_a_health_check() -> None:
    services = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
    assert {"postgres", "valkey", "web", "edge", "worker", "clock"} <= set(services)
    for name in ("postgres", "valkey", "edge", "worker", "clock"):
        assert services[name]["healthcheck"]["test"], name


def test_no_secret_has_a_default_in_compose() -> None:
    text = (ROOT / "compose.yaml").read_text()
    for name in ("SECRET_KEY", "POSTGRES_PASSWORD"):
        assert re.search(rf"\${{{name}:\?", text)
        assert not re.search(rf"\${{{name}:-", text)
