"""`manage.py up` for real: everything answers, a killed part comes back, Ctrl-C and kill -9 leave nothing."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]


class Installation:
    """One `manage.py up` with a data directory and a port of its own."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.port = free_port()
        self.log = home / "up.log"
        drop = {"DATABASE_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE", "PRIOSTACK_DATA_DIR"}
        env = {name: value for name, value in os.environ.items() if name not in drop}
        argv = [sys.executable, "manage.py", "up", "--no-demo", "--port", str(self.port)]
        with self.log.open("wb") as out:
            self.popen = subprocess.Popen(
                argv,
                cwd=ROOT,
                env={**env, "PRIOSTACK_DATA_DIR": str(home / "data")},
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def get(self, path: str) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", path)
            return connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return 0
        finally:
            connection.close()

    def children(self) -> dict[str, int]:
        """What the supervisor started, by the word that tells them apart."""
        words = {"valkey": "valkey-server", "server": "granian", "worker": "worker", "clock": "beat"}
        below = [(pid, command) for pid, parent, command in processes() if parent == self.popen.pid]
        return {
            name: pid
            for name, word in words.items()
            for pid, command in below
            if word in command.split() or word in command.split()[0]
        }

    def left(self) -> list[str]:
        """Processes that still name our data directory or port."""
        mine = (str(self.home), str(self.port))
        return [command for _, _, command in processes() if any(word in command for word in mine)]


def processes() -> list[tuple[int, int, str]]:
    told = subprocess.run(
        ["ps", "-ww", "-eo", "pid=,ppid=,args="], capture_output=True, text=True, check=True
    ).stdout
    rows = [line.split(None, 2) for line in told.splitlines()]
    return [(int(pid), int(parent), command) for pid, parent, command in rows if "<defunct>" not in command]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait(true: Callable[[], object], log: Path, seconds: float = 40) -> None:
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until, log.read_text()[-3000:]
        time.sleep(0.05)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Migrated by the first test and used again by the others, as an installation is."""
    return tmp_path_factory.mktemp("up")


@pytest.fixture
def up(home: Path) -> Iterator[Installation]:
    installation = Installation(home)
    wait(lambda: installation.get("/healthz") == 200, installation.log)
    yield installation
    if installation.popen.poll() is None:
        installation.popen.kill()
    installation.popen.wait(20)
    wait(lambda: not installation.left(), installation.log)


def test_everything_answers_and_ctrl_c_leaves_nothing(up: Installation) -> None:
    wait(lambda: up.get("/readyz") == 200, up.log)
    wait(lambda: len(up.children()) == 4, up.log)
    wait(lambda: f"http://127.0.0.1:{up.port}" in up.log.read_text(), up.log)
    up.popen.send_signal(signal.SIGINT)
    assert up.popen.wait(20) == 0, up.log.read_text()[-3000:]
    assert up.left() == []


@pytest.mark.parametrize("name", ["server", "valkey", "worker"])
def test_a_killed_part_comes_back(up: Installation, name: str) -> None:
    wait(lambda: name in up.children(), up.log)
    killed = up.children()[name]
    os.kill(killed, signal.SIGKILL)
    wait(lambda: up.children().get(name, killed) != killed, up.log)
    wait(lambda: up.get("/readyz") == 200, up.log)


def test_kill_9_of_the_supervisor_leaves_nothing(up: Installation) -> None:
    up.popen.kill()
    up.popen.wait(5)
    wait(lambda: not up.left(), up.log)


def test_a_second_start_on_the_same_port_says_what_to_do(up: Installation, home: Path) -> None:
    argv = [sys.executable, "manage.py", "up", "--port", str(up.port)]
    env = {**os.environ, "PRIOSTACK_DATA_DIR": str(home / "other")}
    told = subprocess.run(argv, cwd=ROOT, env=env, capture_output=True, text=True, timeout=20, check=False)
    assert told.returncode == 1
    assert "in use" in told.stderr
    assert up.get("/healthz") == 200
