"""The pure parts of the bench: ratios, verdicts, the table, the work that is compared; and that nothing is left running."""

import json
import math
import os
import signal
import socket
import subprocess
import sys
import time

import pytest

from bundles.bundle import load
from bundles.promptcompile import prepare
from tests.bench import page, prompttexts
from tests.bench.load import Load, Place, by_python
from tests.bench.processes import BenchFailed, clean, free_ports, pss, request, running, tree, until
from tests.bench.table import Goal, Row, as_json, ends, markdown, middle, number, ratios, text
from tests.bench.work import W1, W2, files

FAST = Goal("× node", 0.30, least=True)
SOON = Goal("p99 ms", 15)


def test_ratios_are_taken_round_by_round() -> None:
    assert ratios([30, 10, 50], [100, 20, 100]) == [0.3, 0.5, 0.5]
    assert ratios([30, 10], [0, 20]) == [0.5]
    with pytest.raises(ValueError):
        ratios([1], [1, 2])


def test_the_middle_of_nothing_is_no_number() -> None:
    assert math.isnan(middle([]))
    assert middle([3, 1, 2]) == 2
    assert ends([3, 1, 2]) == (1, 3)


@pytest.mark.parametrize(
    ("figures", "verdict"),
    [
        ({"× node": 0.30, "p99 ms": 15.0}, "met"),
        ({"× node": 0.299, "p99 ms": 1.0}, "missed"),
        ({"× node": 0.5, "p99 ms": 15.1}, "missed"),
        ({"× node": 0.5}, "missed"),
        ({"× node": math.nan, "p99 ms": 1.0}, "missed"),
    ],
)
def test_a_verdict_needs_every_goal(figures: dict[str, float], verdict: str) -> None:
    assert Row("W1", figures, (FAST, SOON)).verdict == verdict


def test_without_goals_there_is_no_verdict_and_with_an_error_it_is_failed() -> None:
    assert Row("W1", {"calls/s": 5}).verdict == "–"
    assert Row("W1", {"p99 ms": 1}, (SOON,), error="wrk: not found").verdict == "failed"


def test_goals_read_as_people_write_them() -> None:
    assert str(FAST) == "≥ 0.30 × node"
    assert str(Goal("watchers held", 10_000, least=True)) == "≥ 10,000 watchers held"


@pytest.mark.parametrize(
    ("value", "shown"), [(0, "0"), (0.314, "0.31"), (12.34, "12.3"), (12345.6, "12,346"), (-3.5, "-3.50")]
)
def test_numbers_have_the_digits_that_count(value: float, shown: str) -> None:
    assert number(value) == shown


ROWS = [
    Row(
        "W1",
        {"calls/s": 4123.4, "× node": 0.314, "p99 ms": 12.0},
        (FAST, SOON),
        ends={"× node": (0.29, 0.33)},
    ),
    Row("wake", {}, error="no answer | at all"),
]


def test_the_table_shows_every_row_under_its_heads() -> None:
    head, first, second = text(ROWS).splitlines()
    assert head.index("verdict") == first.index("met") == second.index("failed")
    assert first[head.index("measured") :].startswith("4,123 calls/s")
    assert first.endswith("× node 0.29 to 0.33")
    assert second.endswith("no answer | at all")


def test_markdown_has_as_many_cells_in_every_line() -> None:
    table, _, notes = markdown(ROWS).partition("\n\n")
    lines = table.splitlines()
    assert len({line.count("|") for line in lines}) == 1
    assert len(lines) == 4
    assert notes.splitlines() == ["- W1: × node 0.29 to 0.33", "- wake: no answer | at all"]


def test_json_carries_figures_and_verdicts() -> None:
    told = json.loads(as_json(ROWS, {"cores": 2}))
    assert told["machine"] == {"cores": 2}
    assert [row["verdict"] for row in told["rows"]] == ["met", "failed"]
    assert told["rows"][0]["figures"]["× node"] == 0.314


def test_the_page_names_the_machine_and_carries_the_table(tmp_path: object) -> None:
    file = tmp_path / "bench.md"  # type: ignore[operator]
    page.write(ROWS, {"cores": 2, "date": "2026-01-01"}, file)
    written = file.read_text()
    assert "cores 2, date 2026-01-01" in written
    assert "| W1 | 4,123 calls/s |" in written


def test_the_bundle_of_the_bench_has_no_problems() -> None:
    assert not load(files()).problems


def test_the_prompts_of_the_bench_have_no_problems_and_render_to_what_the_floor_answers() -> None:
    files = {path: text.encode() for path, text in prompttexts.files().items()}
    assert not load(files).problems
    made = prepare(files, "prompts/hello.prmd").render({"name": "Ann"})
    assert prompttexts.DRY.right(json.dumps(made.json()).encode())
    long = prepare(files, "prompts/ci-gate.prmd").render({"diff": "+ x", "most": 3})
    assert not long.has_errors
    assert len(str(long.output)) > 1500


def test_only_the_right_answer_is_right() -> None:
    assert W1.right(W1.body)
    assert not W1.right(b"{}")
    assert not W2.right(b"not JSON")
    assert W2.right(json.dumps(W2.answer).encode())


def test_free_ports_are_free_and_in_a_row() -> None:
    first = free_ports(2)
    for port in (first, first + 1):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", port))


def test_what_was_started_is_ended_with_its_children() -> None:
    with running(["sh", "-c", "sleep 60 & sleep 60"], clean()) as pid:
        until(lambda: len(tree(pid)) == 3, "the children run", seconds=10)
        started = tree(pid)
        assert pss(pid) > 0
    time.sleep(0.2)
    assert not [one for one in started if alive(one)]


def test_a_killed_bench_leaves_nothing_running() -> None:
    inner = "import time\nfrom tests.bench.processes import clean, running\n"
    inner += (
        "with running(['sleep', '60'], clean()) as pid:\n    print(pid, flush=True)\n    time.sleep(60)\n"
    )
    bench = subprocess.Popen([sys.executable, "-c", inner], stdout=subprocess.PIPE, text=True)
    assert bench.stdout is not None
    pid = int(bench.stdout.readline())
    assert alive(pid)
    bench.kill()
    bench.wait(5)
    until(lambda: not alive(pid), "the child is gone", seconds=5)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return open(f"/proc/{pid}/stat").read().rpartition(")")[2].split()[0] != "Z"


def test_a_process_that_dies_by_itself_is_told() -> None:
    with (
        pytest.raises(BenchFailed, match="no such thing"),
        running([sys.executable, "-c", "raise SystemExit('no such thing')"], clean(), stop=signal.SIGTERM),
    ):
        time.sleep(0.5)


def test_the_environment_of_the_bench_leads_to_nobodys_database(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://elsewhere/")
    monkeypatch.setenv("PRIOSTACK_PORT", "80")
    kept = clean(PRIOSTACK_DATA_DIR="here")
    assert "DATABASE_URL" not in kept
    assert "PRIOSTACK_PORT" not in kept
    assert kept["PRIOSTACK_DATA_DIR"] == "here"


def test_our_own_generator_counts_calls_and_refusals() -> None:
    port = free_ports()
    argv = [sys.executable, "-m", "granian", "--interface", "asgi", "--port", str(port), "--no-access-log"]
    with running([*argv, "tests.bench.rawasgi:application"], clean()):
        until(lambda: request(port, "POST", "/echo", b"{}")[0] == 200, "it answers", seconds=20)
        load = by_python(Place("echo", port, "/echo"), W1.body, 0.3)
    assert isinstance(load, Load)
    assert load.calls > 32
    assert (load.lost, load.refused) == (0, 0)
    assert 0 < load.p50_ms <= load.p99_ms


def test_the_command_says_what_it_offers() -> None:
    argv = [sys.executable, "-m", "tests.bench", "--help"]
    told = subprocess.run(argv, capture_output=True, text=True, timeout=30, check=True).stdout
    for option in ("--quick", "--only", "--json", "--markdown"):
        assert option in told
