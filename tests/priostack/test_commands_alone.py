"""Operators' commands work while the servers are stopped, and leave no process behind."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.slow


def manage(home: Path, *args: str) -> subprocess.CompletedProcess[str]:
    env = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "REDIS_URL"}}
    env |= {"PRIOSTACK_DATA_DIR": str(home), "PYTHONWARNINGS": "ignore"}
    argv = [sys.executable, str(ROOT / "manage.py"), *args]
    return subprocess.run(argv, env=env, capture_output=True, text=True, check=False, cwd=ROOT)


def test_a_backup_is_taken_and_brought_back_without_servers(tmp_path: Path) -> None:
    home, archive = tmp_path / "data", tmp_path / "all.zip"
    assert manage(home, "migrate", "-v0").returncode == 0
    assert manage(home, "tenant", "acme", "--email", "root@acme.example", "--json").returncode == 0
    taken = manage(home, "backup", str(archive))
    assert "rows" in taken.stdout, taken.stderr
    assert archive.stat().st_mode & 0o777 == 0o600
    assert manage(home, "restore", str(archive)).returncode == 1
    back = manage(home, "restore", str(archive), "--force")
    assert "are back" in back.stdout, back.stderr
    assert not (home / "valkey.sock").exists(), "the store that was started for it is stopped again"
