"""The page of variables: text or JSON, kept and deleted by those who may write, shown as text."""

from typing import Any

import pytest

from billing import variables
from billing.models import Variable

PAGE = "/settings/variables"
EVIL = "<img src=x onerror=alert(1)>"


def shown(person: Any) -> str:
    answer = person.client.get(PAGE)
    assert answer.status_code == 200
    return str(answer.content.decode())


@pytest.mark.parametrize(
    ("typed", "kept"), [("a b", "a b"), ("25", 25), ('"25"', "25"), ('{"a": [1]}', {"a": [1]})]
)
def test_what_is_typed_is_text_or_json(alice: Any, typed: str, kept: Any) -> None:
    assert alice.client.post(PAGE, {"name": "limit", "value": typed}).status_code == 302
    assert variables.values(alice.tenant.pk) == {"limit": kept}


def test_values_are_text_on_the_page(alice: Any) -> None:
    variables.put(alice.tenant, "evil", {"x": EVIL})
    page = shown(alice)
    assert "<img" not in page
    assert "&lt;img src=x" in page


def test_a_bad_name_is_refused_beside_the_form(alice: Any) -> None:
    answer = alice.client.post(PAGE, {"name": "no-hyphen", "value": "kept text"})
    assert answer.status_code == 422
    assert "kept text" in answer.content.decode()
    assert not Variable.objects.exists()


def test_a_variable_is_deleted(alice: Any) -> None:
    variables.put(alice.tenant, "limit", 1)
    alice.client.post(f"{PAGE}/delete", {"name": "limit"})
    assert not Variable.objects.exists()


def test_a_viewer_reads_but_changes_nothing_and_charlie_sees_nothing(
    alice: Any, bob: Any, charlie: Any
) -> None:
    variables.put(alice.tenant, "limit", "mine alone")
    assert "mine alone" in shown(bob)
    assert "Keep it" not in shown(bob)
    assert bob.client.post(PAGE, {"name": "limit", "value": "2"}).status_code == 403
    assert bob.client.post(f"{PAGE}/delete", {"name": "limit"}).status_code == 403
    assert "mine alone" not in shown(charlie)
    charlie.client.post(f"{PAGE}/delete", {"name": "limit"})
    assert variables.values(alice.tenant.pk) == {"limit": "mine alone"}
