"""An installation that strangers reach does not start with what opens it (A096), nor on an old sandbox (A070)."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
GOOD = {
    "PRIOSTACK_PRODUCTION": "1",
    "DEBUG": "0",
    "SECRET_KEY": "f3RkQ0v9sLwZ8yXb2NnT6mHc4uJp7aGd1eKiVoBqUxWzS5tMhY6rD4",
    "PRIOSTACK_BASE_URL": "https://prio.example.org",
}
BAD = {
    "DEBUG must be off": {"DEBUG": "1"},
    "SECRET_KEY is too weak": {"SECRET_KEY": "a" * 60},
    "at least 50": {"SECRET_KEY": GOOD["SECRET_KEY"][:49]},
    "random characters": {"SECRET_KEY": f"django-insecure-{GOOD['SECRET_KEY']}"},
    "must be https": {"PRIOSTACK_BASE_URL": "http://prio.example.org"},
}
MENDED = (40, 0, 4)  # has the fix of CVE-2026-27572; what comes after it has it too


def checked(home: Path, more: dict[str, str]) -> subprocess.CompletedProcess[str]:
    environment = os.environ | GOOD | {"PRIOSTACK_DATA_DIR": str(home)} | more
    argv = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    return subprocess.run(argv, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def test_a_good_one_has_nothing_to_mend(tmp_path: Path) -> None:
    done = checked(tmp_path, {})
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("why", BAD)
def test_what_is_open_does_not_start_and_says_why(tmp_path: Path, why: str) -> None:
    done = checked(tmp_path, BAD[why])
    assert done.returncode != 0
    assert why in done.stderr


def test_the_engine_has_its_security_fixes() -> None:
    pinned = re.search(
        r"^wasmtime==(\d+)\.(\d+)\.(\d+)", (ROOT / "requirements.lock").read_text(), re.MULTILINE
    )
    assert pinned
    assert tuple(int(part) for part in pinned.groups()) >= MENDED
