"""The supervisor with real processes: prefixes, restarts, an orderly stop, and nothing left after kill -9."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from priostack.plan import Child, Plan, load

SLEEPER = "import time; print('here', flush=True); time.sleep(60)"
PARENT = (
    "import subprocess, sys, time\n"
    "p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
    "print('grandchild', p.pid, flush=True); time.sleep(60)"
)
STUBBORN = "import signal, time; signal.signal(15, signal.SIG_IGN); print('here', flush=True); time.sleep(60)"


def child(name: str, code: str, **more: object) -> Child:
    return Child(name, (sys.executable, "-S", "-c", code), **more)  # type: ignore[arg-type]


class Stack:
    """A supervisor started from a plan, and what it printed so far."""

    def __init__(self, folder: Path, *children: Child, **more: object) -> None:
        self.log = folder / "out.log"
        plan = Plan(children=children, grace=1.0, **more)  # type: ignore[arg-type]
        plan.dump(folder / "plan.json")
        argv = [sys.executable, "-m", "priostack.supervise", str(folder / "plan.json")]
        with self.log.open("wb") as out:
            self.popen = subprocess.Popen(argv, stdout=out, stderr=subprocess.STDOUT, start_new_session=True)

    @property
    def text(self) -> str:
        return self.log.read_text()

    def until(self, said: str, times: int = 1) -> str:
        wait(lambda: self.text.count(said) >= times, lambda: f"{said!r} was not printed:\n{self.text}")
        return self.text

    def stop(self, how: int = signal.SIGTERM) -> int:
        self.popen.send_signal(how)
        return self.popen.wait(15)


def wait(true: Callable[[], bool], else_say: Callable[[], str], seconds: float = 10) -> None:
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until, else_say()
        time.sleep(0.02)


def runs(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def gone(pid: int) -> None:
    wait(lambda: not runs(pid), lambda: f"process {pid} still runs")


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Callable[..., Stack]]:
    started: list[Stack] = []

    def start(*children: Child, **more: object) -> Stack:
        started.append(Stack(tmp_path, *children, **more))
        return started[-1]

    yield start
    for each in started:
        if each.popen.poll() is None:
            each.popen.kill()
        each.popen.wait(10)


def pid_after(text: str, word: str) -> int:
    return int(text.split(word)[-1].split()[0])


def test_a_plan_survives_being_written_and_read(tmp_path: Path) -> None:
    plan = Plan(
        (child("a", "1", env={"X": "1"}, delay=0.5), child("b", "2", last=True)), ready="h:1/x", banner="hi"
    )
    plan.dump(tmp_path / "plan.json")
    assert load(tmp_path / "plan.json") == plan


def test_every_line_names_its_child(stack: Callable[..., Stack]) -> None:
    text = stack(child("one", SLEEPER), child("three", SLEEPER)).until("here", times=2)
    assert "one   │ here" in text
    assert "three │ here" in text


def test_a_last_line_without_an_end_is_printed_too(stack: Callable[..., Stack]) -> None:
    stack(child("one", "print('no newline', end='')", once=True)).until("one │ no newline\n")


def test_a_child_gets_its_environment(stack: Callable[..., Stack]) -> None:
    stack(child("one", "import os; print(os.environ['COLOUR'])", env={"COLOUR": "teal"})).until("│ teal")


def test_a_child_that_dies_is_started_again_later_each_time(stack: Callable[..., Stack]) -> None:
    begun = time.monotonic()
    text = stack(child("one", "print('again')"), child("two", SLEEPER)).until("again in", times=3)
    assert "again in 0.2 s" in text
    assert "again in 0.5 s" in text
    assert "again in 1.0 s" in text
    assert time.monotonic() - begun > 0.7


def test_a_killed_child_comes_back_with_another_pid(stack: Callable[..., Stack]) -> None:
    code = "import os, time; print('pid', os.getpid(), flush=True); time.sleep(60)"
    running = stack(child("one", code))
    first = pid_after(running.until("pid"), "pid")
    os.kill(first, signal.SIGKILL)
    second = pid_after(running.until("pid", times=2), "pid")
    assert second != first
    assert runs(second)


def test_one_that_never_runs_stops_everything_with_an_error(stack: Callable[..., Stack]) -> None:
    running = stack(child("bad", "raise SystemExit(3)"), child("good", SLEEPER), ready="127.0.0.1:9/none")
    assert running.popen.wait(20) == 1
    assert "bad does not start" in running.text


def test_a_program_that_does_not_exist_is_named(stack: Callable[..., Stack]) -> None:
    running = stack(Child("ghost", ("/nowhere/at-all",)), ready="127.0.0.1:9/none")
    assert running.popen.wait(20) == 1
    assert "ghost cannot be started" in running.text


def test_one_that_shall_run_once_is_not_started_again(stack: Callable[..., Stack]) -> None:
    running = stack(child("job", "print('did it')", once=True), child("two", SLEEPER))
    running.until("did it")
    time.sleep(0.6)
    assert running.text.count("did it") == 1


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_all_and_answers_zero(stack: Callable[..., Stack], how: int) -> None:
    running = stack(child("one", PARENT), child("two", SLEEPER))
    pid = pid_after(running.until("grandchild"), "grandchild")
    assert running.stop(how) == 0
    gone(pid)


def test_the_store_is_stopped_after_those_that_use_it(stack: Callable[..., Stack]) -> None:
    says = "import signal, sys, time; signal.signal(15, lambda *_: sys.exit(print('bye', flush=True))); "
    code = says + "print('here', flush=True); time.sleep(60)"
    running = stack(child("store", code, last=True), child("user", code))
    running.until("here", times=2)
    assert running.stop() == 0
    assert running.text.index("user  │ bye") < running.text.index("store │ bye")


def test_one_that_ignores_the_signal_is_killed_after_the_grace(stack: Callable[..., Stack]) -> None:
    running = stack(child("one", STUBBORN))
    running.until("here")
    begun = time.monotonic()
    assert running.stop() == 0
    assert 0.9 < time.monotonic() - begun < 5


@pytest.mark.parametrize("whole_group", [False, True])
def test_nothing_survives_a_kill_9_of_the_supervisor(stack: Callable[..., Stack], whole_group: bool) -> None:
    running = stack(child("one", PARENT), child("two", STUBBORN))
    running.until("here")
    grandchild = pid_after(running.until("grandchild"), "grandchild")
    if whole_group:
        os.killpg(running.popen.pid, signal.SIGKILL)
    else:
        running.popen.kill()
    running.popen.wait(5)
    gone(grandchild)


def test_a_second_supervisor_of_one_data_directory_is_refused(
    stack: Callable[..., Stack], tmp_path: Path
) -> None:
    running = stack(child("one", SLEEPER), lock=str(tmp_path / "lock"))
    running.until("here")
    again = [sys.executable, "-m", "priostack.supervise", str(tmp_path / "plan.json")]
    refused = subprocess.run(again, capture_output=True, text=True, timeout=10, check=False)
    assert refused.returncode == 1
    assert "already runs" in refused.stderr
    assert runs(running.popen.pid)


def test_the_banner_waits_for_the_server_and_leaves_out_what_is_not_known(
    stack: Callable[..., Stack], tmp_path: Path
) -> None:
    (tmp_path / "facts.json").write_text('{"email": "a@b.c"}')
    code = "import http.server as h; h.HTTPServer(('127.0.0.1', 0), h.SimpleHTTPRequestHandler)"
    port = free_port()
    serve = child("web", code.replace("0)", f"{port})").replace("Handler)", "Handler).serve_forever()"))
    banner = "Ready at home\nSign in as $email\nPassword $password"
    running = stack(serve, ready=f"127.0.0.1:{port}/", banner=banner, facts=str(tmp_path / "facts.json"))
    text = running.until("Sign in as a@b.c")
    assert "Ready at home" in text
    assert "Password" not in text


def test_the_banner_waits_for_what_runs_once_even_when_that_fails(stack: Callable[..., Stack]) -> None:
    job = child("job", "import time; time.sleep(0.5); raise SystemExit(1)", once=True)
    text = stack(job, child("two", SLEEPER), banner="Ready at home").until("Ready at home")
    assert text.index("job failed (exit 1)") < text.index("Ready at home")


def free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
