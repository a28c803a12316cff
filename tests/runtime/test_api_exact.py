"""Bodies with keys that nobody knows are refused by their name, and nothing is changed; what a GET tells may come back."""

from typing import Any

import pytest

from billing.models import Variable
from bundles.models import Flow, Revision
from runtime.models import Execution, Trigger
from tests.runtime.test_api_flows import J, made, put

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_redis")]


def told(answer: Any) -> str:
    assert answer.status_code == 422, answer.content
    return str(answer.json()["errors"][0]["message"])


@pytest.mark.parametrize(
    ("key", "meant"),
    [("organism_yml", "organism_yaml"), ("organismYaml", "organism_yaml"), ("Name", "name"), ("tag", "tags"),
     ("canvas", ""), ("zzz", "")],
)  # fmt: skip
def test_a_key_that_is_not_known_makes_no_flow(alice: Any, key: str, meant: str) -> None:
    answer = alice.api.post("/api/flows", {"name": "a", key: "x"}, content_type=J)
    message = told(answer)
    assert f"unknown key '{key}'" in message
    assert (f"did you mean '{meant}'?" in message) == bool(meant)
    assert Flow.objects.count() == 0


def test_several_are_named_and_long_ones_are_cut(alice: Any) -> None:
    message = told(alice.api.post("/api/flows", {"aa": 1, "bb": 2, "x" * 5000: 3}, content_type=J))
    assert "'aa'" in message
    assert "'bb'" in message
    assert len(message) < 300


def test_what_was_read_may_be_sent_back_whole(alice: Any) -> None:
    flow = made(alice)
    read = alice.api.get(f"/api/flows/{flow['id']}").json()
    answer = alice.api.put(
        f"/api/flows/{flow['id']}", read, content_type=J, headers={"if-match": f'"{read["revision"]}"'}
    )
    assert answer.status_code == 200, answer.content
    again = {**read, "name": "other", "bundle": None}
    assert alice.api.post("/api/flows", again, content_type=J).status_code == 201
    trigger = f"/api/triggers/{flow['id']}/incoming"
    assert alice.api.put(trigger, read["triggers"][0], content_type=J).status_code == 200
    variable = alice.api.put("/api/vars/a", {"value": {"any": "key"}}, content_type=J).json()
    assert alice.api.put("/api/vars/a", variable, content_type=J).status_code == 200


def test_a_save_with_an_unknown_key_changes_nothing(alice: Any) -> None:
    flow = made(alice)
    revisions = Revision.objects.count()
    answer = put(alice, flow, flow["revision"], organism_yaml="x: 1", mesage="y")
    assert "did you mean 'message'?" in told(answer)
    assert Revision.objects.count() == revisions


@pytest.mark.parametrize(
    ("method", "path", "body", "message"),
    [
        ("post", "{id}/inject", {"paylod": 1}, "did you mean 'payload'?"),
        ("put", "{id}/incoming", {"enable": False}, "did you mean 'enabled'?"),
        ("put", "", {"enabled": False, "flow": []}, "did you mean 'flows'?"),
    ],
)
def test_doors_of_triggers_know_their_keys(
    alice: Any, method: str, path: str, body: Any, message: str
) -> None:
    flow = made(alice)
    where = "/api/triggers" + (f"/{path.format(id=flow['id'])}" if path else "")
    assert message in told(getattr(alice.api, method)(where, body, content_type=J))
    assert Execution.objects.count() == 0
    assert not Trigger.objects.filter(enabled=False).exists()


def test_a_variable_is_its_value(alice: Any) -> None:
    assert "did you mean 'value'?" in told(
        alice.api.put("/api/vars/a", {"value": 1, "vaule": 2}, content_type=J)
    )
    assert Variable.objects.count() == 0


def test_a_name_that_is_too_long_is_refused_and_not_cut(alice: Any) -> None:
    flow = made(alice)
    for answer in (
        alice.api.post("/api/flows", {"name": "n" * 101}, content_type=J),
        put(alice, flow, flow["revision"], name="n" * 101),
        alice.api.post(f"/api/flows/{flow['id']}/duplicate?name={'n' * 101}"),
    ):
        assert answer.status_code == 422
        assert "at most 100 letters, this one has 101" in answer.json()["detail"]
    assert list(Flow.objects.values_list("name", flat=True)) == ["hello"]
    assert alice.api.post("/api/flows", {"name": "n" * 100}, content_type=J).status_code == 201
