"""/ws/market: who may listen, what is told, and that slow or hostile listeners cost nothing."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from asgiref.sync import sync_to_async
from django.utils import timezone

from billing import wallet
from billing.models import Membership
from billing.redis import redis
from billing.websocket import FLOOD, FORBIDDEN, FULL, LARGE, MAX_FRAMES, UNKNOWN
from market import board, figures, reservations, wire
from market.models import Round
from market.reservations import Wanted
from tests.runtime.watching import ORIGIN, close_code, socket, with_key, with_session

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("clean_redis")]
PATH = "/ws/market"
EVIL = (b"origin", b"https://evil.example")


def tell(number: int = 5, **more: Any) -> None:
    state = {
        "number": number, "at": figures.now_ms() + 60_000, "price": 7, "pressure": 1_500, "contended": True, "waiting": 0,
        "entries": 0, "bidders": 312, "winners": 200, "reserved": 0, "free": 50, "revenue": 1_400,
    }  # fmt: skip
    redis().set(wire.STATE, orjson.dumps(state | more))


def a_round(number: int, **more: Any) -> None:
    Round.objects.create(number=number, at=datetime.now(UTC), price=7, bidders=2, winners=1, **more)


async def opened(*headers: tuple[bytes, bytes]) -> Any:
    wire_ = socket(PATH, *headers)
    accepted, _ = await wire_.connect(10)
    assert accepted
    return wire_


async def until(wire_: Any, name: str, holds: Any = bool) -> Any:
    """The first part of this name that holds; others may come before."""
    for _ in range(50):
        part = (await wire_.receive_json_from(10)).get(name)
        if part is not None and holds(part):
            return part
    raise AssertionError(name)


async def test_the_state_is_told_at_once_and_when_it_changes(alice: Any) -> None:
    tell()
    wire_ = await opened(ORIGIN, with_session(alice.client))
    state = await until(wire_, "state")
    assert (state["price"], state["price_text"], state["bids_text"]) == (7, "7 credits", "312 · 200")
    await sync_to_async(tell)(6, price=9)
    state = await until(wire_, "state", lambda state: state["number"] == 6)
    assert state["price_text"] == "9 credits"
    assert "term" not in state
    await wire_.disconnect()


async def test_one_hears_of_ones_own_wins_and_losses_alone(alice: Any, charlie: Any) -> None:
    tell(5)
    hers = await opened(ORIGIN, with_session(alice.client))
    his = await opened(ORIGIN, with_key(charlie.token))
    for wire_ in (hers, his):
        await until(wire_, "state")
    await asyncio.sleep(board.TICK_S * 2)
    bids = {str(alice.tenant.pk): 5, str(charlie.tenant.pk): 60}
    await sync_to_async(a_round)(6, bids=bids, won=[str(charlie.tenant.pk)])
    await sync_to_async(tell)(6)
    (receipt,) = await until(hers, "receipts")
    assert (receipt["outcome"], receipt["text"]) == ("lost", "price 7, your cap 5: waited")
    (receipt,) = await until(his, "receipts")
    assert (receipt["outcome"], receipt["credits"]) == ("won", 7)
    for wire_ in (hers, his):
        await wire_.disconnect()


async def test_one_hears_of_ones_own_balance(alice: Any) -> None:
    wire_ = await opened(ORIGIN, with_session(alice.client))
    before = (await until(wire_, "mine"))["balance"]
    await sync_to_async(wallet.grant)(alice.tenant.pk, 77, key="x", note="x")
    assert await until(wire_, "mine", lambda mine: mine["balance"] == before + 77)
    await wire_.disconnect()


async def test_one_hears_how_ones_own_reservations_stand(alice: Any, charlie: Any) -> None:
    """Without asking again: it begins, and it ends."""
    now = timezone.now()
    wanted = Wanted(now + timedelta(minutes=5), now + timedelta(minutes=6), 2)
    made = await sync_to_async(reservations.make)(alice.tenant.pk, wanted)
    await sync_to_async(reservations.make)(charlie.tenant.pk, wanted)
    wire_ = await opened(ORIGIN, with_session(alice.client))
    mine = await until(wire_, "mine")
    assert mine["reservations"] == [{"id": str(made.pk), "status": "upcoming", "pool": 1_000}]
    for moment, status in ((wanted.start, "active"), (wanted.end, "ended")):
        await sync_to_async(reservations.pass_time)(moment)
        await until(wire_, "mine", lambda mine: mine["reservations"][0]["status"] == status)  # noqa: B023
    await wire_.disconnect()
    assert await sync_to_async(wallet.check)() == []


async def test_strangers_and_keys_without_read_are_refused(alice: Any) -> None:
    alice.key.scopes = ["call"]
    await alice.key.asave()
    for headers, code in (
        ([ORIGIN], UNKNOWN),
        ([ORIGIN, with_key("ps_wrong")], UNKNOWN),
        ([ORIGIN, with_key(alice.token)], FORBIDDEN),
    ):
        assert await close_code(await opened(*headers)) == code


@pytest.mark.parametrize("origin", [b"https://evil.example", b"null", b"http://127.0.0.1.evil.example", b""])
async def test_another_site_cannot_use_the_cookie(alice: Any, origin: bytes) -> None:
    wire_ = socket(PATH, (b"origin", origin), with_session(alice.client))
    assert not (await wire_.connect(10))[0]


async def test_no_origin_needs_a_key(alice: Any) -> None:
    assert not (await socket(PATH, with_session(alice.client)).connect(10))[0]
    assert not (await socket(PATH, EVIL, with_key(alice.token)).connect(10))[0]
    wire_ = await opened(with_key(alice.token))
    await until(wire_, "mine")
    await wire_.disconnect()


async def test_who_may_no_longer_look_is_told_to_go(alice: Any, bob: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(board, "TICK_S", 0.02)
    wire_ = await opened(ORIGIN, with_session(bob.client))
    await until(wire_, "mine")
    await Membership.objects.filter(user=bob.user).adelete()
    assert await close_code(wire_) == FORBIDDEN


async def test_too_many_of_one_tenant_are_turned_away_and_others_are_not(
    alice: Any, charlie: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr(board, "MOST_OF_TENANT", 1)
    first = await opened(ORIGIN, with_session(alice.client))
    await until(first, "mine")
    assert await close_code(await opened(ORIGIN, with_session(alice.client))) == FULL
    other = await opened(ORIGIN, with_session(charlie.client))
    await until(other, "mine")
    await first.disconnect()
    again = await opened(ORIGIN, with_session(alice.client))
    await until(again, "mine")
    for wire_ in (other, again):
        await wire_.disconnect()


async def test_a_flood_and_a_large_frame_end_the_connection(alice: Any) -> None:
    wire_ = await opened(ORIGIN, with_key(alice.token))
    await wire_.send_to(text_data="x" * 5_000)
    assert await close_code(wire_) == LARGE
    wire_ = await opened(ORIGIN, with_key(alice.token))
    for _ in range(MAX_FRAMES + 1):
        await wire_.send_to(text_data="{}")
    assert await close_code(wire_) == FLOOD


async def test_a_slow_reader_finds_the_newest_state_and_not_all_that_was(alice: Any) -> None:
    """What nobody took is replaced, so a listener that sleeps holds no more than one message."""
    sent: list[Any] = []
    gate = asyncio.Event()

    async def send(message: Any) -> None:
        await gate.wait()
        sent.append(orjson.loads(message["text"]))

    slow = board.Socket(send, await sync_to_async(principal)(alice))
    slow.main = asyncio.current_task()
    for number in range(1_000):
        slow.state = {"number": number}
        slow.receipts.append({"number": number})
        slow.wake()
        await asyncio.sleep(0)
    gate.set()
    await slow.sending
    assert len(sent) == 2
    assert sent[-1]["state"] == {"number": 999}
    assert len(sent[-1]["receipts"]) == 50


def principal(person: Any) -> Any:
    from billing.access import of_token

    return of_token(person.token)


async def test_the_queue_of_a_tenant_is_asked_of_the_leader(alice: Any, charlie: Any) -> None:
    def answered() -> None:
        """As the leader would, for whoever asks."""
        for _ in range(200):
            came = redis().blpop([wire.INBOX], timeout=0.2)
            if came is not None:
                message = orjson.loads(came[1])
                assert set(message["of"]) <= {str(alice.tenant.pk)}
                mine = {tenant: [] for tenant in message["of"]}
                counts = dict.fromkeys(message["of"], (3, 7))
                redis().rpush(wire.outbox(message["p"]), wire.lines(mine, counts))
                return

    tell(waiting=3, entries=7)
    wire_ = await opened(ORIGIN, with_session(alice.client))
    task = asyncio.create_task(asyncio.to_thread(answered))
    mine = await until(wire_, "mine", lambda mine: mine["actions"] == 3)
    assert mine["entries"] == 7
    await task
    await wire_.disconnect()
