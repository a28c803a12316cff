"""Many editors at once: of two saves one wins and nothing is lost, and first flows share one bundle."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from bundles.models import Bundle, Flow
from tests.runtime.test_api_flows import HELLO

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("clean_redis")]
J = "application/json"


def together(count: int, ask: Callable[[Client, int], Any], token: str) -> list[Any]:
    """The answers to requests that are sent at the same moment, each by a client of its own."""
    barrier = threading.Barrier(count)
    answers: list[Any] = []

    def one(number: int) -> None:
        client = Client(headers={"authorization": f"Bearer {token}"})
        client.get("/api/me")
        barrier.wait()
        answers.append(ask(client, number))
        connection.close()

    threads = [threading.Thread(target=one, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def test_of_saves_from_one_revision_exactly_one_wins(alice: Any) -> None:
    flow = alice.api.post("/api/flows", {"name": "f", "organism_yaml": HELLO}, content_type=J).json()

    def save(client: Client, number: int) -> Any:
        body = {"organism_yaml": f"{HELLO}# {number}\n"}
        return client.put(f"/api/flows/{flow['id']}", body, content_type=J, headers={"if-match": '"1"'})

    answers = together(4, save, alice.token)
    assert sorted(answer.status_code for answer in answers) == [200, 412, 412, 412]
    (won,) = [answer.json() for answer in answers if answer.status_code == 200]
    lost = [answer.json()["current"]["organism_yaml"] for answer in answers if answer.status_code == 412]
    assert set(lost) == {won["organism_yaml"]}


def test_saves_of_different_flows_all_win(alice: Any) -> None:
    flows = [
        alice.api.post("/api/flows", {"name": f"f{n}", "organism_yaml": HELLO}, content_type=J).json()
        for n in range(4)
    ]

    def save(client: Client, number: int) -> Any:
        body = {"organism_yaml": f"{HELLO}# {number}\n"}
        where = f"/api/flows/{flows[number]['id']}"
        return client.put(where, body, content_type=J, headers={"if-match": '"4"'})

    assert {answer.status_code for answer in together(4, save, alice.token)} == {200}
    texts = [one["organism_yaml"] for one in alice.api.get("/api/flows").json()["items"]]
    assert texts == [f"{HELLO}# {n}\n" for n in range(4)]


def test_first_flows_made_at_once_live_in_one_bundle(alice: Any) -> None:
    answers = together(
        4, lambda client, n: client.post("/api/flows", {"name": f"f{n}"}, content_type=J), alice.token
    )
    assert {answer.status_code for answer in answers} == {201}
    assert Bundle.objects.count() == 1
    assert Flow.objects.count() == 4


def test_of_flows_of_one_name_exactly_one_is_made(alice: Any) -> None:
    answers = together(
        4, lambda client, n: client.post("/api/flows", {"name": "same"}, content_type=J), alice.token
    )
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
    assert Flow.objects.count() == 1
