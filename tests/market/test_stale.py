"""Words that were on their way while the leader changed: nothing is granted twice by them, and nothing is lost."""

import asyncio

import pytest

from billing.ids import uuid7
from market import wire
from market.client import Client
from market.local import Local
from market.ticket import Ticket
from market.wire import Granted
from tests.market.running import PROCESS, START, Clock, House, Told, hear, rules, tenant, waiting

MS = START * 1000


@pytest.mark.django_db
@pytest.mark.usefixtures("clean_redis")
def test_who_has_not_heard_the_new_leader_yet_is_asked_and_not_believed() -> None:
    """It may not have heard either what the last one gave it."""
    clock, owner = Clock(), tenant("a", 9, auto_bid=True)
    with rules(threshold=0, free_lane=0, slots=2):
        house, action = House(clock), waiting(owner, 700)
        house.submit(action)
        house.step()
        first = hear(Told())
        house = House(clock, token="next")
        house.handle(wire.submit(PROCESS, [action], whole=True, term=1))
        house.step(MS + 400)
        told = hear(Told())
        assert (told.hellos, told.granted) == (1, {})
        house.handle(
            wire.submit(PROCESS, [action._replace(left=200, asof=START, spent=1)], whole=True, term=2)
        )
        house.step(MS + 1_000)
        hear(told)
    assert [cu for cu, _, _ in first.granted[action.id] + told.granted[action.id]] == [500, 200]


@pytest.mark.django_db
@pytest.mark.usefixtures("clean_redis")
def test_a_greeting_that_was_lost_comes_again() -> None:
    clock = Clock()
    with rules():
        House(clock)
        house, action = House(clock, token="next"), waiting(uuid7(), 100)
        hellos = []
        for step in range(4):
            house.handle(wire.submit(PROCESS, [action], term=1))
            house.step(MS + 600 * step)
            hellos.append(hear(Told()).hellos)
    assert hellos == [1, 0, 0, 1]


@pytest.fixture
def client(clean_redis: None) -> Client:
    return Client(Local())


def grants(ticket: Ticket, number: int, cu: int) -> bytes:
    return wire.grants(1, number, 1, granted=[Granted(ticket.action.id, cu, "won", 1)])


async def test_a_grant_that_was_heard_counts_once_however_often_it_is_sent(client: Client) -> None:
    ticket = client.enter(waiting(uuid7(), 700), 0)
    sent = grants(ticket, 7, 100)
    client.take(wire.read(sent))
    client.take(wire.read(wire.again(sent)))
    assert (ticket.allowed, ticket.charged, ticket.action.left) == (100, 1, 600)
    client.take(wire.read(wire.again(grants(ticket, 8, 200))))
    client.take(wire.read(wire.again(grants(ticket, 8, 200))))
    assert (ticket.allowed, ticket.charged, ticket.action.left) == (300, 2, 400)
    await asyncio.sleep(0)


async def test_rounds_of_one_second_each_count(client: Client) -> None:
    ticket = client.enter(waiting(uuid7(), 700), 0)
    for _ in range(3):
        client.take(wire.read(wire.grants(1, 7, 0, granted=[Granted(ticket.action.id, 100, "free", 0)])))
    assert ticket.allowed == 300
    await asyncio.sleep(0)


async def test_a_process_says_which_leader_it_has_heard(client: Client) -> None:
    assert wire.read(client._all())["term"] == 0
    client.take(wire.read(wire.hello(3)))
    assert wire.read(client._all())["term"] == 3
    await asyncio.sleep(0)
