"""A setting that cannot be used ends every command with one line that names it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from priostack import env
from priostack.database import database

ROOT = Path(__file__).resolve().parents[2]
WRONG = {
    "PRIOSTACK_PORT": ("x", "0", "99999", "-1"),
    "PRIOSTACK_BASE_URL": ("foo", "http://", "ftp://x", "http://a b", "https://x:port", "//x", "http://x/y"),
    "PRIOSTACK_PRODUCTION": ("maybe",),
    "DATABASE_URL": ("nonsense", "mysql://x/y", "postgresql://", "postgresql://u@h:port/n"),
    "REDIS_URL": ("nonsense", "http://x", "redis://h:port/0", "redis://h:6379/x"),
    "PRIOSTACK_JOURNAL": ("paper", "postgres"),
    "PRIOSTACK_MAX_BODY": ("x", "0", "-1", "99999999999"),
    "PRIOSTACK_RETENTION_DAYS": ("x", "0", "-3", "99999999999"),
    "PRIOSTACK_EGRESS_ALLOW": ("nonsense", "h:port", "*:99999", "http://x"),
    "PRIOSTACK_EMAIL_VERIFICATION": ("perhaps",),
    "EMAIL_PORT": ("x", "99999"),
    "DEFAULT_FROM_EMAIL": ("nobody", "a\nb@x"),
    "PRIOSTACK_DEFAULT_PLAN": ("gold",),
    "PRIOSTACK_PROXIES": ("granny", "1.2.3.4/8"),
    "ALLOWED_HOSTS": ("http://x",),
}
# Each is read while a module is imported: one process for all values, each time as new.
SCRIPT = """
import os, sys
sys.modules.pop("pytest", None)
for value in sys.argv[2:]:
    os.environ[sys.argv[1]] = value
    sys.modules.pop("priostack.settings", None)
    try:
        import priostack.settings
    except SystemExit as end:
        print(end)
    else:
        print("accepted", value)
"""


def run(argv: list[str], home: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    drop = {*WRONG, "DJANGO_SETTINGS_MODULE", "PRIOSTACK_DATA_DIR"}
    kept = {name: value for name, value in os.environ.items() if name not in drop}
    given = {**kept, "PRIOSTACK_DATA_DIR": str(home), **settings}
    return subprocess.run(
        [sys.executable, *argv], cwd=ROOT, env=given, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("name", WRONG)
def test_each_nonsense_is_told_in_one_line(name: str, tmp_path: Path) -> None:
    done = run(["-c", SCRIPT, name, *WRONG[name]], tmp_path)
    lines = done.stdout.splitlines()
    assert len(lines) == len(WRONG[name]), done.stderr
    assert all(line.startswith(f"{name}: expected") or "needs a DATABASE_URL" in line for line in lines), (
        lines
    )


def test_a_command_ends_with_the_line_alone(tmp_path: Path) -> None:
    for argv in (["manage.py", "check"], ["manage.py", "up"], ["-m", "priostack.edge", "--port", "1"]):
        done = run(argv, tmp_path, PRIOSTACK_JOURNAL="paper", PRIOSTACK_PORT="0")
        assert done.returncode == 1
        assert done.stderr == "PRIOSTACK_PORT: expected between 1 and 65535, not 0\n"


def test_a_data_directory_that_is_none_is_told(tmp_path: Path) -> None:
    for wrong, why in (("/dev/null", "cannot be used"), ("/proc/none", "cannot be used")):
        done = run(["manage.py", "check"], Path(wrong))
        assert done.returncode == 1
        assert done.stderr.startswith(f"PRIOSTACK_DATA_DIR: {wrong} {why}")
        assert len(done.stderr.splitlines()) == 1


def test_a_database_that_does_not_answer_is_told_in_a_line(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    done = run(["manage.py", "up", "--no-demo"], tmp_path, DATABASE_URL=f"sqlite://{tmp_path}/folder")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert done.stderr.splitlines() == [
        "The database cannot be used: unable to open database file",
        "The database could not be prepared, so nothing is started.",
    ]


@pytest.mark.parametrize(
    "right",
    [
        "postgresql://u:p@h:5432/n?pool=20",
        "postgresql://u@/n?host=%2Frun",
        "postgres://[::1]/n",
        "sqlite:////tmp/x.db",
    ],
)
def test_what_can_be_a_database_is_taken(right: str, tmp_path: Path) -> None:
    assert database(right, tmp_path)["NAME"]


def test_no_password_is_told(tmp_path: Path) -> None:
    with pytest.raises(env.BadSetting) as told:
        database("postgresql://u:geheim@h:port/n", tmp_path)
    assert "geheim" not in str(told.value)


@pytest.mark.parametrize("right", ["", "redis://h", "rediss://:p@h:6379/0", "unix:///run/valkey.sock"])
def test_what_can_be_a_store_is_taken(right: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", right)
    assert env.store("REDIS_URL") == right
