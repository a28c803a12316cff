"""Rows of the market: the price of a round, a round with its transaction on both databases, fairness."""

import json
import subprocess
import sys
from pathlib import Path

from scripts.postgres import server
from tests.bench import onewallet
from tests.bench.house import data_dir
from tests.bench.processes import BenchFailed, clean, output
from tests.bench.table import Goal, Row, ends, middle

ROOT = Path(__file__).resolve().parents[2]


def figures(rounds: int, database: str = "") -> dict[str, dict[str, list[float]]]:
    with data_dir() as home:
        env = clean(PRIOSTACK_DATA_DIR=str(home), DJANGO_SETTINGS_MODULE="priostack.settings")
        if database:
            env["DATABASE_URL"] = database
        printed = output([sys.executable, "-m", "tests.bench.marketround", str(rounds)], env, 280)
    found: dict[str, dict[str, list[float]]] = json.loads(printed.splitlines()[-1])
    if found["ledger"]:
        raise BenchFailed(f"the ledger does not add up: {found['ledger']}")
    return found


def measure(*, quick: bool) -> list[Row]:
    rounds, seconds = (5, 3) if quick else (15, 10)
    found = figures(rounds)
    price, fair = found["price"], found["fairness"]
    million, ratio = price["million"], price["ratio"]
    return [
        Row("price of a round, 10^6 bidders", {"ms": middle(million)}, (Goal("ms", 25.0),), ends={"ms": ends(million)}),
        Row("  against the tick loop, 10^5", {"times": middle(ratio)}, (Goal("times", 30.0, least=True),)),
        whole("SQLite", found["whole"], 40.0),  # type: ignore[arg-type]
        *onewallet.rows("SQLite", seconds),
        *on_postgres(rounds, seconds),
        Row("Jain index of free rounds, 90 equal tenants", {"index": fair["jain"]}, (Goal("index", 0.99, least=True),)),  # type: ignore[dict-item]
        Row(
            "wait with an empty wallet, all sold out",
            {"rounds": fair["poor waited"]},  # type: ignore[dict-item]
            (Goal("rounds", fair["bound"]),),  # type: ignore[arg-type]
            "225 CU beside 200 rich tenants that never stop; the goal is the bound of rule R9",
        ),
    ]  # fmt: skip


def whole(where: str, took: list[float], most: float) -> Row:
    note = "1,500 entries of 400 tenants, 200 winners: from the queue to the commit and the messages"
    return Row(
        f"a bidding round, {where}", {"ms": middle(took)}, (Goal("ms", most),), note, ends={"ms": ends(took)}
    )


def on_postgres(rounds: int, seconds: int) -> list[Row]:
    """Its server keeps nothing safe (fsync off), so the time is that of the work, not of the disk."""
    found = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "find_postgres.py")],
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if not found.stdout.strip():
        return [Row("the market on PostgreSQL", {}, error="PostgreSQL is not installed here")]
    with server(Path(found.stdout.strip())) as url:
        whole_round = whole("PostgreSQL", figures(rounds, url)["whole"], 60.0)  # type: ignore[arg-type]
    with server(Path(found.stdout.strip())) as url:
        return [whole_round, *onewallet.rows("PostgreSQL", seconds, url)]
