"""W1 and W2 under load, in alternating rounds with a bare node:http server and a raw ASGI echo; memory per call."""

import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace

from tests.bench.house import FLOOR, House
from tests.bench.load import CONNECTIONS, Load, Place, check, fire, tool
from tests.bench.processes import BenchFailed, clean, free_ports, request, running, until
from tests.bench.table import ASGI, CPU, NODE, P50, P99, Goal, Row, ends, middle, ratios
from tests.bench.work import W1, W2, W3, W4, W5, Work

GOALS = (Goal(NODE, 0.30, least=True), Goal(P99, 15))
RATE = "calls/s"
LEAK = "MB per 100,000 calls"


@dataclass(frozen=True, slots=True)
class Pace:
    """How long everything takes: rounds of seconds, calls for the growth of memory."""

    rounds: int
    seconds: float
    growth_calls: int


@dataclass(slots=True)
class Contest:
    """One work done by several servers in turns."""

    work: Work
    node: Place
    asgi: Place
    mine: dict[Place, tuple[Goal, ...]]  # in the order of the table, with the goals of each
    found: dict[str, list[Load]] = field(default_factory=dict)

    def round(self, number: int, seconds: float, house: House) -> None:
        """Each server once; another one begins every time."""
        places = [self.node, self.asgi, *self.mine]
        turn = number % len(places)
        for place in places[turn:] + places[:turn]:
            self.found.setdefault(place.name, []).append(fire(place, self.work, seconds))
            house.settle()

    def rows(self) -> list[Row]:
        node, asgi = self.rates(self.node), self.rates(self.asgi)
        rows = [self.row(place, goals, node, asgi) for place, goals in self.mine.items()]
        floor = {RATE: middle(node), **self.times(self.node)}
        echo = {RATE: middle(asgi), NODE: middle(ratios(asgi, node)), **self.times(self.asgi)}
        return [
            *rows,
            Row(f"  {self.work.name}: bare node:http", floor, note="the floor"),
            Row(f"  {self.work.name}: raw ASGI echo", echo, note="granian, sends the body back"),
        ]

    def row(self, place: Place, goals: tuple[Goal, ...], node: list[float], asgi: list[float]) -> Row:
        mine = self.rates(place)
        to_node = ratios(mine, node)
        figures = {RATE: middle(mine), NODE: middle(to_node), ASGI: middle(ratios(mine, asgi))}
        return Row(
            f"{self.work.name}: {place.name}",
            {**figures, **self.times(place)},
            goals,
            f"{CONNECTIONS} connections; by CPU {self.by_cpu(place):.2f} × node",
            ends={NODE: ends(to_node)},
        )

    def by_cpu(self, place: Place) -> float:
        """The same ratio in CPU time of the serving processes, which a busy machine disturbs less."""
        node, mine = ([load.cpu_us for load in self.found[one.name]] for one in (self.node, place))
        return middle(ratios(node, mine))

    def rates(self, place: Place) -> list[float]:
        return [load.rate for load in self.found[place.name]]

    def times(self, place: Place) -> dict[str, float]:
        loads = self.found[place.name]
        return {
            P50: middle([load.p50_ms for load in loads]),
            P99: middle([load.p99_ms for load in loads]),
            CPU: middle([load.cpu_us for load in loads]),
        }


@contextmanager
def yardsticks(upstream: int) -> Iterator[tuple[Place, Place]]:
    """The bare node:http server and the raw ASGI echo."""
    node = shutil.which("node")
    if node is None:
        raise BenchFailed("node is not installed: there is no floor to compare with")
    first, second = free_ports(), free_ports()
    raw = [
        sys.executable,
        "-m",
        "granian",
        "--interface",
        "asgi",
        "--host",
        "127.0.0.1",
        "--port",
        str(second),
    ]
    raw += ["--workers", "1", "--no-access-log", "--log-level", "warning", "tests.bench.rawasgi:application"]
    with ExitStack() as held:
        floor = held.enter_context(running([node, str(FLOOR), str(first), str(upstream)], clean()))
        echo = held.enter_context(running(raw, clean()))
        for port in (first, second):
            until(lambda port=port: request(port, "POST", "/echo", b"{}")[0], "a yardstick answers")  # type: ignore[misc]
        yield Place("node", first, "", pid=floor), Place("asgi", second, "", pid=echo)


def contests(house: House, node: Place, asgi: Place) -> list[Contest]:
    def against(work: Work, mine: dict[Place, tuple[Goal, ...]]) -> Contest:
        return Contest(work, replace(node, path=work.path), replace(asgi, path=work.path), mine)

    edge, server = "one edge process", "the server of manage.py up"
    echo = house.place(edge, "echo")
    others = {replace(echo, name=f"{edge}, every head another", vary=True): ()} if tool() == "wrk" else {}
    return [
        against(W1, {echo: GOALS, **others, house.place(server, "echo", edge=False): ()}),
        against(
            W2,
            {
                house.place(edge, "total"): GOALS,
                house.place(server, "total", edge=False): (),
                house.place(f"{edge}, AssemblyScript", "total_as"): (),
            },
        ),
    ]


def flows(house: House, node: Place, asgi: Place) -> list[Contest]:
    """W3 to W5: webhooks of flows, every step in the history."""
    goals = ((W3, 0.15), (W4, 0.13), (W5, 0.32))
    return [
        Contest(
            work,
            replace(node, path=work.path),
            replace(asgi, path=work.path),
            {house.hook("one edge process", work.path[1:]): (Goal(NODE, least, least=True),)},
        )
        for work, least in goals
    ]


def measure(house: House, pace: Pace, *, of_flows: bool = False) -> list[Row]:
    """All rounds of these works."""
    rows = []
    with yardsticks(house.upstream) as (node, asgi):
        for contest in (flows if of_flows else contests)(house, node, asgi):
            for place in (contest.node, *contest.mine):
                check(place, contest.work)
                fire(place, contest.work, 1)  # warm
            fire(contest.asgi, contest.work, 1)
            house.settle()
            for number in range(pace.rounds):
                contest.round(number, pace.seconds, house)
            rows += contest.rows()
    return rows


def growth(house: House, pace: Pace) -> Row:
    """What everything together has grown by after many calls that came after many others."""
    place = house.place("one edge process", "echo")
    many(house, place, pace.growth_calls // 2)
    time.sleep(2)
    before = house.memory()
    calls = many(house, place, pace.growth_calls)
    time.sleep(2)
    after = house.memory()
    grown = {name: size - before.get(name, 0.0) for name, size in after.items()}
    parts = ", ".join(f"{name} {size:+.1f}" for name, size in grown.items() if abs(size) >= 0.1)
    note = f"PSS {sum(after.values()):.0f} MB after {calls:,} calls more; {parts}"
    figures = {LEAK: sum(grown.values()) / calls * 100_000}
    return Row("growth of memory", figures, (Goal(LEAK, 1.0),), note)


def many(house: House, place: Place, calls: int) -> int:
    """At least so many calls, and their history imported; bounded by five minutes."""
    done = 0
    for _ in range(60):
        done += fire(place, W1, 5).calls
        house.settle()
        if done >= calls:
            return done
    raise BenchFailed(f"only {done:,} of {calls:,} calls within five minutes")
