"""`manage.py up`: what it would start, and whether it must migrate first."""

import argparse
import socket
import sqlite3
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from priostack import migrated, up
from priostack.ready import told


def options(*argv: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    up.arguments(parser)
    return parser.parse_args(argv)


@pytest.fixture
def home(tmp_path: Path) -> Any:
    return SimpleNamespace(
        DATA_DIR=tmp_path,
        REDIS_SOCKET=tmp_path / "valkey.sock",
        PRODUCTION=False,
        BASE_URL="http://here:8000",
        SQLITE=True,
        DATABASES={"default": {"NAME": str(tmp_path / "db.sqlite3")}},
    )


def names(home: Any, *argv: str) -> list[str]:
    return [child.name for child in up.plan_children(home, options(*argv), 8000)]


def test_it_starts_a_store_a_server_a_worker_a_clock_and_the_demo_once(
    home: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REDIS_URL", raising=False)
    assert names(home) == ["valkey", "server", "worker", "clock", "demo"]


def test_a_redis_of_ones_own_replaces_the_embedded_store(home: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", "redis://elsewhere")
    assert "valkey" not in names(home)


def test_split_adds_that_many_processes_on_the_next_port(home: Any) -> None:
    children = up.plan_children(home, options("--split", "3"), 8000)
    edges = [child for child in children if child.name.startswith("edge")]
    assert [edge.name for edge in edges] == ["edge", "edge-2", "edge-3"]
    assert {edge.argv[edge.argv.index("--port") + 1] for edge in edges} == {"8001"}
    assert all("priostack.edge" in edge.argv for edge in edges)


def test_the_demo_is_not_loaded_again_nor_in_production_nor_when_unwanted(home: Any) -> None:
    assert "demo" not in names(home, "--no-demo")
    home.PRODUCTION = True
    assert "demo" not in names(home)
    home.PRODUCTION = False
    (home.DATA_DIR / "demo.json").write_text("{}")
    assert "demo" not in names(home)


def test_the_store_appends_to_a_file_and_opens_no_port(home: Any) -> None:
    argv = up.valkey(home).argv
    assert argv[argv.index("--port") + 1] == "0"
    assert argv[argv.index("--appendonly") + 1] == "yes"


def test_a_taken_port_is_noticed() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert up.refused("127.0.0.1", port) == f"Port {port} is in use."
        argv = [sys.executable, "-m", "priostack.edge", "--port", str(port)]
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (1, f"Port {port} is in use.\n")


def test_an_address_that_is_not_of_this_machine_is_told_as_such() -> None:
    assert "cannot be listened on" in up.refused("192.0.2.7", 8000)
    assert "cannot be listened on" in up.refused("300.1.1.1", 8000)
    assert up.refused("127.0.0.1", 99_999) == "99999 is no port."


def test_a_number_of_processes_that_cannot_be_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    for wrong in ("-3", "x", "1000"):
        with pytest.raises(SystemExit):
            up.main(["--split", wrong])
        assert "expected a number of processes" in capsys.readouterr().err


def test_the_banner_names_the_login_when_the_demo_is_there(home: Any) -> None:
    (home.DATA_DIR / "demo.json").write_text('{"email": "a@b.c", "password": "p", "api_key": "k"}')
    text = told(up.plan(home, options(), children=(), port=8000))
    assert "http://here:8000" in text
    assert "a@b.c" in text


def test_the_banner_without_a_demo_still_names_the_address(home: Any) -> None:
    text = told(up.plan(home, options(), children=(), port=8000))
    assert "http://here:8000" in text
    assert "Password" not in text


def database(home: Any, rows: set[tuple[str, str]]) -> None:
    with sqlite3.connect(home.DATABASES["default"]["NAME"]) as connection:
        connection.execute("CREATE TABLE django_migrations (app, name)")
        connection.executemany("INSERT INTO django_migrations VALUES (?, ?)", sorted(rows))


def test_a_fresh_directory_must_be_migrated(home: Any) -> None:
    assert not migrated.already(home)


def test_a_database_with_every_migration_need_not(home: Any) -> None:
    database(home, migrated.ours())
    migrated.note(home)
    assert migrated.already(home)


def test_one_missing_migration_or_other_libraries_must(home: Any) -> None:
    database(home, set(sorted(migrated.ours())[1:]))
    migrated.note(home)
    assert not migrated.already(home)


def test_new_libraries_must_be_migrated_too(home: Any) -> None:
    database(home, migrated.ours())
    (home.DATA_DIR / "migrated").write_text("another lock file")
    assert not migrated.already(home)


def test_a_server_elsewhere_is_always_asked(home: Any) -> None:
    database(home, migrated.ours())
    migrated.note(home)
    home.SQLITE = False
    assert not migrated.already(home)
