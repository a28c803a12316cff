"""What the leader does with what it is told: rounds, deadlines, processes that are gone, leaders before it."""

from collections.abc import Iterator
from typing import Any

import pytest

from billing import wallet
from billing.ids import uuid7
from market import rounds, wire
from market.leading import Leader, Office
from market.models import Round
from market.rules import Settings
from tests.market.running import (
    PROCESS,
    START,
    Clock,
    House,
    Told,
    balance,
    hear,
    moment,
    rules,
    tenant,
    waiting,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_redis")]
MS = START * 1000
BUSY: dict[str, Any] = {"threshold": 0, "free_lane": 0, "slots": 1}


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(autouse=True)
def sound() -> Iterator[None]:
    yield
    assert wallet.check() == []


def served(told: Told, id: str) -> int:
    return sum(cu for cu, _, _ in told.granted.get(id, []))


# -- free rounds -------------------------------------------------------------------------------------


def test_225_cu_run_100_and_100_and_25_in_short_rounds(clock: Clock) -> None:
    """R2, R5: a round ends when its work is done, not before 5 ms, and not a second later."""
    with rules():
        house, action = House(clock), waiting(uuid7(), 225)
        house.submit(action)
        got = []
        for step in range(4):
            house.step(MS + 5 * step)
            told = hear(Told())
            got.append(served(told, action.id))
            for message in told.messages:
                if message["t"] == "grants" and message["g"]:
                    house.handle(wire.idle(PROCESS, message["n"]))
    assert got == [100, 100, 25, 0]


def test_a_round_waits_for_its_work_up_to_its_longest(clock: Clock) -> None:
    """R2."""
    with rules():
        house, action = House(clock), waiting(uuid7(), 200)
        house.submit(action)
        house.step()
        house.step(MS + 999)
        assert served(hear(Told()), action.id) == 100
        house.step(MS + 1000)
        assert served(hear(Told()), action.id) == 100


def test_an_idle_word_ends_a_round_not_before_5_ms(clock: Clock) -> None:
    with rules():
        house, action = House(clock), waiting(uuid7(), 200)
        house.submit(action)
        house.step()
        seq = next(one["n"] for one in hear(Told()).messages if one["t"] == "grants")
        house.handle(wire.idle(PROCESS, seq))
        house.step(MS + 4)
        assert hear(Told()).granted == {}
        house.step(MS + 5)
        assert served(hear(Told()), action.id) == 100


def test_free_rounds_write_one_row_for_their_second(clock: Clock) -> None:
    """R38."""
    with rules():
        house = House(clock)
        house.submit(*(waiting(uuid7()) for _ in range(5)))
        house.step()
        assert not Round.objects.exists()
        house.step(MS + 1000)
    row = Round.objects.get()
    assert (row.number, row.price, row.pressure, row.free_entries, row.cu_used) == (START, 0, 5, 5, 500)


def test_seconds_in_which_nothing_waits_are_not_written(clock: Clock) -> None:
    with rules():
        house = House(clock)
        for second in range(3):
            house.step(MS + second * 1000)
    assert not Round.objects.exists()


def test_who_rests_after_a_miss_is_served_when_it_wakes(clock: Clock) -> None:
    """R30: nobody else wakes the leader then."""
    with rules():
        owner = uuid7()
        house, first = House(clock), waiting(owner, 100, service="s")
        rest = waiting(owner, 100, service="s", fallback="retry")
        house.submit(first, rest)
        told = Told()
        for second in range(5):
            house.step(MS + second * 1000)
            hear(told)
    assert served(told, rest.id) == 100
    backoffs = [one for message in told.messages if message["t"] == "grants" for one in message["b"]]
    assert backoffs == [[rest.id, 1]]


# -- bidding rounds ----------------------------------------------------------------------------------


def test_bidding_begins_at_once_and_then_with_each_second(clock: Clock) -> None:
    owner = tenant("a", 100, auto_bid=True)
    with rules(**BUSY):
        house, action = House(clock), waiting(owner, 1_200)
        clock.ms = MS + 300
        house.submit(action)
        got = []
        for ms in (300, 700, 1000, 1500, 2000):
            house.step(MS + ms)
            got.append(served(hear(Told()), action.id))
    assert got == [500, 0, 500, 0, 200]
    assert balance(owner) == 97
    assert [row.number - START for row in Round.objects.order_by("number")] == [0, 1, 2]


def test_a_round_says_who_bid_who_won_and_who_got_what(clock: Clock) -> None:
    rich, poor = tenant("rich", 50, auto_bid=True), tenant("poor", 7, auto_bid=True)
    with rules(**BUSY):
        house, one, two = House(clock), waiting(rich), waiting(poor)
        house.submit(one, two)
        house.step()
    row = Round.objects.get()
    assert row.bids == {str(rich.pk): 50, str(poor.pk): 7}
    assert (row.won, row.price, row.revenue, row.winners, row.bidders) == ([str(rich.pk)], 8, 8, 1, 2)
    assert row.served == [[one.id, 100, "won", 8, PROCESS, str(rich.pk), "none", False]]
    assert (balance(rich), balance(poor)) == (42, 7)


def test_a_second_try_of_a_round_tells_what_the_first_one_did(clock: Clock) -> None:
    owner = tenant("a", 100, auto_bid=True)
    with rules(**BUSY):
        house = House(clock)
        house.submit(waiting(owner), waiting(owner, 700, fallback="retry"), waiting(owner, fallback="fail"))
        turn = house.term.leader.turn(clock())
        assert turn is not None
        first = rounds.clear(turn, house.term.leader.term)
        again = rounds.clear(turn, house.term.leader.term)
        settled = rounds.settle(turn, house.term.leader.term)
    assert again == settled
    for name in ("price", "bids", "winners", "booked", "ended", "changed", "pressure"):
        assert getattr(again, name) == getattr(first, name), name
    assert {one.number for one in again.queue.actions} == {one.number for one in first.queue.actions}
    assert again.queue.since == first.queue.since
    assert balance(owner) == 99


def test_a_round_that_was_not_written_never_will_be_once_that_is_said(clock: Clock) -> None:
    owner = tenant("a", 100, auto_bid=True)
    with rules(**BUSY):
        house = House(clock)
        house.submit(waiting(owner))
        turn = house.term.leader.turn(clock())
        assert turn is not None
        assert rounds.settle(turn, house.term.leader.term) is None
        with pytest.raises(rounds.Deposed):
            rounds.clear(turn, house.term.leader.term)
    assert balance(owner) == 100


def test_a_leader_of_an_older_term_writes_nothing(clock: Clock) -> None:
    owner = tenant("a", 100, auto_bid=True)
    with rules(**BUSY):
        old = House(clock, token="old")
        old.submit(waiting(owner))
        turn = old.term.leader.turn(clock())
        assert turn is not None
        House(clock, token="new")
        with pytest.raises(rounds.Deposed):
            rounds.clear(turn, old.term.leader.term)
    assert balance(owner) == 100
    assert not Round.objects.exists()


@pytest.mark.parametrize("behind", [-5_000, -900, 900, 5_000])
def test_two_clocks_make_no_round_twice(clock: Clock, behind: int) -> None:
    """A new leader whose clock differs goes on with later numbers, at most a second later."""
    owner = tenant("a", 100, auto_bid=True)
    with rules(**BUSY):
        house, action = House(clock), waiting(owner, 2_000)
        house.submit(action)
        house.step()
        other = Clock(clock.ms - behind)
        successor, got = House(other, token="next"), 0
        left = action._replace(left=1_500, asof=START, spent=1, deadline=action.deadline + 10_000)
        successor.submit(left)
        for _ in range(12):
            other.ms += 300
            successor.step()
            got += served(hear(Told()), action.id)
    assert got >= 1_500 + 500
    numbers = list(Round.objects.filter(price__gt=0).values_list("number", flat=True))
    assert len(numbers) == len(set(numbers)) == 100 - balance(owner)


# -- deadlines and fallbacks -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fallback", "fate"), [("queue", "expired"), ("retry", "expired"), ("fail", "failed")]
)
def test_a_deadline_is_kept_to_the_millisecond(clock: Clock, fallback: str, fate: str) -> None:
    """R28 to R31: also between two rounds."""
    with rules(**BUSY):
        house, action = House(clock), waiting(uuid7(), wait=1.25, fallback=fallback, at=START + 0.25)
        clock.ms = MS + 250
        house.step()
        house.term.leader.contended = True
        house.submit(action)
        house.term.leader._bid_from = MS + 3_000
        house.step(MS + 1_499)
        assert hear(Told()).ended == {}
        house.step(MS + 1_500)
        assert hear(Told()).ended[action.id][0] == fate


def test_who_degrades_waits_once_more_for_one_entry(clock: Clock) -> None:
    """R32."""
    with rules(**BUSY, cu_per_credit=1):
        house, action = House(clock), waiting(uuid7(), 350, wait=2, fallback="degrade")
        house.submit(action)
        told = Told()
        for second in range(6):
            house.step(MS + second * 1000)
            hear(told)
    assert told.degraded == [action.id]
    assert told.granted == {}
    assert told.ended == {action.id: ("failed", 1)}


def test_who_fails_fast_is_told_after_the_first_round_and_at_which_price(clock: Clock) -> None:
    """R31."""
    with rules(**BUSY):
        rich = tenant("rich", 9, auto_bid=True)
        house, action = House(clock), waiting(uuid7(), fallback="fail")
        house.submit(action, waiting(rich))
        house.step()
        assert hear(Told()).ended == {action.id: ("failed", 1)}


def test_places_and_rounds_are_told_once_a_second(clock: Clock) -> None:
    with rules(threshold=0, free_lane=2):
        house, owner = House(clock), uuid7()
        actions = [waiting(owner, 250, START, service="s"), waiting(uuid7(), 100, START)]
        rich = [waiting(tenant(f"r{n}", 9, auto_bid=True), 9_000) for n in range(1)]
        house.submit(*actions, *rich)
        house.term.leader.rules = Settings(threshold=0, free_lane=2, slots=1)
        told = Told()
        for ms in (0, 500, 1100):
            house.step(MS + ms)
            hear(told)
    assert actions[0].id in told.places
    assert min(rounds for _, rounds in told.places.values()) >= 1


# -- processes ---------------------------------------------------------------------------------------


def test_what_is_over_is_not_served(clock: Clock) -> None:
    """R3: entries not served yet vanish."""
    with rules():
        house, action = House(clock), waiting(uuid7(), 500)
        house.submit(action)
        house.step()
        house.handle(wire.end(PROCESS, [(action.id, 30)]))
        house.step(MS + 2_000)
    assert served(hear(Told()), action.id) == 100


def test_more_is_served_to_who_needs_more(clock: Clock) -> None:
    """The same action again, with a larger need: it keeps its age."""
    with rules():
        house, action = House(clock), waiting(uuid7(), 100)
        house.submit(action)
        house.step()
        house.submit(action._replace(need=200, left=100, asof=START))
        house.step(MS + 1_000)
        told = hear(Told())
        house.submit(action._replace(need=200, left=100, asof=START))
        house.step(MS + 2_000)
    assert served(told, action.id) == 200
    assert served(hear(Told()), action.id) == 0


def test_told_again_an_action_is_not_served_twice(clock: Clock) -> None:
    with rules():
        house, action = House(clock), waiting(uuid7(), 100)
        for _ in range(3):
            house.submit(action)
        for step in range(4):
            house.step(MS + step * 300)
            house.submit(action)
    assert served(hear(Told()), action.id) == 100


def test_a_grant_that_its_process_never_heard_of_is_sent_again(clock: Clock) -> None:
    """A lost message costs time, never money."""
    owner = tenant("a", 9, auto_bid=True)
    with rules(**BUSY):
        house, action = House(clock), waiting(owner, 400)
        house.submit(action)
        house.step()
        hear(Told())  # lost
        house.submit(action)
        house.step(MS + 500)
        assert hear(Told()).granted == {}
        clock.ms = MS + 2_500
        house.submit(action)
        house.step()
        assert hear(Told()).granted == {action.id: [(400, "won", 1)]}
    assert balance(owner) == 8


def test_a_process_unheard_of_is_gone_with_its_actions_and_its_caller_is_refunded(clock: Clock) -> None:
    """R22: what was paid and not finished by the platform's fault."""
    owner = tenant("a", 9, auto_bid=True)
    with rules(**BUSY):
        house, action = House(clock), waiting(owner, 800)
        house.submit(action)
        house.step()
        assert balance(owner) == 8
        house.step(MS + 1_000)
        assert balance(owner) == 7
        for second in range(2, 13):
            house.step(MS + second * 1000)
        assert balance(owner) == 9
        assert house.term.leader.register.entries == {}
        house.step(MS + 30_000)
    assert balance(owner) == 9


@pytest.mark.parametrize(("over", "left"), [(True, 8), (False, 9)])
def test_what_was_finished_is_not_refunded(clock: Clock, over: bool, left: int) -> None:
    owner = tenant("a", 9, auto_bid=True)
    with rules(**BUSY):
        house, action = House(clock), waiting(owner)
        house.submit(action)
        house.step()
        if over:
            house.handle(wire.end(PROCESS, [(action.id, 100)]))
        house.step(MS + 11_000)
    assert balance(owner) == left


def test_who_will_run_again_is_not_refunded_but_gets_what_was_paid(clock: Clock) -> None:
    """A run of a worker that died starts anew at another one, and is charged once."""
    owner = tenant("a", 9, auto_bid=True)
    with rules(**BUSY):
        house, action = House(clock), waiting(owner, 800, api=False)
        house.submit(action)
        house.step()
        house.step(MS + 12_000)
        assert balance(owner) == 8
        hear(Told())
        house.submit(action._replace(rerun=True), process="worker:2")
        house.step(MS + 12_500)
        told = hear(Told(), "worker:2")
        assert told.granted[action.id][0] == (500, "won", 0)
        for second in range(13, 16):
            house.step(MS + second * 1000)
        hear(told, "worker:2")
    assert served(told, action.id) == 800
    assert balance(owner) == 7


def test_an_action_is_served_to_the_process_that_holds_it(clock: Clock) -> None:
    with rules():
        house, action = House(clock), waiting(uuid7())
        house.submit(action)
        house.submit(action, process="thief:1")
        house.step()
    assert served(hear(Told(), "thief:1"), action.id) == 0
    assert served(hear(Told()), action.id) == 100


# -- leaders before it -------------------------------------------------------------------------------


def test_a_new_leader_greets_and_waits_for_what_processes_hold(clock: Clock) -> None:
    office = Office(term=2, number=0, processes=["p:1", "p:2"])
    leader = Leader(Settings(), 1.0, 5, office, MS)
    sent = list(leader.out.take())
    assert [(process, wire.read(data)["t"]) for process, data, _ in sent] == [
        ("p:1", "hello"),
        ("p:2", "hello"),
    ]
    leader.handle(wire.read(wire.submit("p:1", [waiting("t")])), MS)
    assert leader.turn(MS + 299) is None
    assert leader.turn(MS + 300) is not None


def test_it_begins_as_soon_as_all_have_answered(clock: Clock) -> None:
    leader = Leader(Settings(), 1.0, 5, Office(term=2, processes=["p:1"]), MS)
    leader.handle(wire.read(wire.submit("p:1", [waiting("t")])), MS + 10)
    assert leader.turn(MS + 10) is not None


def test_grants_of_the_last_round_are_sent_again_to_who_did_not_hear_them(clock: Clock) -> None:
    owner, other = tenant("a", 9, auto_bid=True), tenant("b", 9, auto_bid=True)
    with rules(threshold=0, free_lane=0, slots=2):
        house = House(clock)
        deaf, heard = waiting(owner, 700), waiting(other, 700)
        house.submit(deaf, heard)
        house.step()
        hear(Told())
        house = House(clock, token="next")
        clock.ms += 200
        house.submit(deaf, heard._replace(left=200, asof=START, spent=1))
        house.step()
        told = hear(Told())
        assert told.granted == {deaf.id: [(500, "won", 1)]}
        house.step(MS + 1_000)
        hear(told)
    assert (served(told, deaf.id), served(told, heard.id)) == (700, 200)
    assert (balance(owner), balance(other)) == (7, 7)


def test_who_was_refused_in_the_last_round_is_told_again(clock: Clock) -> None:
    rich = tenant("rich", 9, auto_bid=True)
    with rules(**BUSY):
        house, action = House(clock), waiting(uuid7(), fallback="fail")
        house.submit(action, waiting(rich))
        house.step()
        hear(Told())
        house = House(clock, token="next")
        house.submit(action)
        house.step()
    assert hear(Told()).ended == {action.id: ("failed", 1)}


def test_the_queue_keeps_its_age_when_the_leader_changes(clock: Clock) -> None:
    """R6, R7: whoever tells of it first."""
    with rules(**BUSY):
        owner = tenant("a", 9, auto_bid=True)
        clock.ms = MS + 20_000
        old, young = waiting(owner, 450, START, service="s"), waiting(owner, 450, START + 19, service="s")
        house = House(clock)
        house.submit(young)
        house.submit(old)
        house.step()
    told = hear(Told())
    assert (served(told, old.id), served(told, young.id)) == (450, 50)


# -- reservations ------------------------------------------------------------------------------------


def test_a_pool_is_drawn_in_a_free_round_in_a_transaction(clock: Clock) -> None:
    """R11, R23."""
    from datetime import timedelta

    from market import reservations
    from market.reservations import Wanted

    owner = tenant("a", 9)
    window = Wanted(moment(5), moment(5) + timedelta(minutes=1), 2)
    made = reservations.make(owner.pk, window, now=moment(0))
    with rules():
        house, action = House(clock), waiting(owner, 1_000)
        clock.ms = MS + 5_000
        house.submit(action)
        house.step()
        assert hear(Told()).granted == {action.id: [(100, "free", 0), (900, "reserved", 0)]}
    made.refresh_from_db()
    assert (made.status, made.pool) == ("active", 100)
    row = Round.objects.get()
    assert (row.number, row.price, row.reserved) == (START + 5, 0, 1)
    assert balance(owner) == 7


def test_a_limit_of_the_bundle_is_a_ceiling(clock: Clock) -> None:
    from bundles.models import Bundle
    from market.models import Spend, SpendLimit

    owner = tenant("a", 100, auto_bid=True)
    bundle = Bundle.objects.create(tenant=owner, name="b")
    SpendLimit.objects.create(bundle=bundle, monthly_credits=2)
    with rules(**BUSY):
        house, action = House(clock), waiting(owner, 5_000, bundle=str(bundle.pk))
        house.submit(action)
        for second in range(6):
            house.step(MS + second * 1000)
    assert balance(owner) == 98
    assert Spend.objects.get().credits == 2
    assert house.term.leader.register.entries[action.id].action.ceiling is None


# -- what makes no sense -----------------------------------------------------------------------------

GOOD = waiting("tenant")._asdict()


@pytest.mark.parametrize(
    "wrong",
    [
        {"need": 0}, {"need": -5}, {"need": 1.5}, {"need": "100"}, {"need": True}, {"need": 10**10},
        {"left": -1}, {"left": 101}, {"priority": 4}, {"priority": -1}, {"priority": None},
        {"fallback": "steal"}, {"ceiling": -1}, {"ceiling": 1.5}, {"ceiling": 10**13}, {"auto_bid": 1},
        {"deadline": -1}, {"deadline": 2**63}, {"max_wait": None}, {"submitted": "now"}, {"id": ""},
        {"id": None}, {"id": "x" * 201}, {"tenant": 5}, {"tenant": "a b"}, {"service": "\n"}, {"spent": -1},
        {"asof": -1}, {"rerun": "yes"}, {"stranger": 0}, {"unknown": 1}, {"bundle": []},
    ],
    ids=str,
)  # fmt: skip
def test_an_action_that_cannot_be_is_dropped_and_others_are_not(clock: Clock, wrong: dict[str, Any]) -> None:
    import orjson

    with rules():
        house, good = House(clock), waiting(uuid7())
        house.handle(
            orjson.dumps({"t": "submit", "p": PROCESS, "a": [GOOD | wrong, good._asdict(), None, 5]})
        )
        house.step()
    assert list(hear(Told()).granted) == [good.id]
    assert list(house.term.leader.register.entries) == [good.id]


@pytest.mark.parametrize(
    "data",
    [
        b"", b"{", b"[]", b"5", b"null", b'{"t":"submit"}', b'{"t":"submit","p":"p"}', b'{"t":"steal","p":"p"}',
        b'{"t":"submit","p":"p","a":{}}', b'{"t":"idle","p":"p","n":"x"}', b'{"t":"here","p":"p"}',
        b'{"t":"end","p":5,"a":[]}', b'{"t":"here","p":"","last":1}', b"\xff\xfe", b'{"t":"here","p":"p","last":1e99}',
        b'{"t":"here","p":"p","last":NaN}', b'{"t":["submit"],"p":"p"}',
    ],
)  # fmt: skip
def test_a_message_that_makes_no_sense_is_dropped(data: bytes) -> None:
    from market import inbound

    assert inbound.read(data) is None


def test_ends_that_make_no_sense_end_nothing(clock: Clock) -> None:
    import orjson

    with rules():
        house, action = House(clock), waiting(uuid7(), 300)
        house.submit(action)
        wrong = [[action.id], [action.id, -1], [action.id, "1"], action.id, None, [5, 5]]
        house.handle(orjson.dumps({"t": "end", "p": PROCESS, "a": wrong}))
    assert list(house.term.leader.register.entries) == [action.id]


def test_accounts_that_are_no_tenants_never_pay(clock: Clock) -> None:
    with rules(**BUSY):
        house = House(clock)
        house.submit(waiting("nobody"), waiting(uuid7()))
        house.step()
    assert Round.objects.get().bids == {}
