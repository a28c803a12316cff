"""`manage.py tenant`: once it makes everything, twice it changes nothing, and somebody else's is refused."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from billing import access
from billing.models import ApiKey, Membership, Tenant, User

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_redis")]


def tenant(*args):
    out, err = StringIO(), StringIO()
    call_command("tenant", *args, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def test_the_answer_opens_every_door(settings):
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"
    said, _ = tenant("acme", "--email", "Root@acme.example", "--plan", "free", "--json")
    made = json.loads(said)
    assert list(made) == ["tenant", "email", "password", "api_key", "url"]
    assert (made["tenant"], made["email"], made["url"]) == ("acme", "root@acme.example", settings.BASE_URL)
    assert access.of_token(made["api_key"]).tenant == "acme"
    browser = Client()
    browser.post("/accounts/login/", {"login": made["email"], "password": made["password"]})
    assert browser.get("/api/me").json()["role"] == "owner"
    assert Tenant.objects.get().plan_id == "free"


def test_again_it_says_so_and_changes_nothing():
    first = json.loads(tenant("acme", "--email", "root@acme.example", "--json")[0])
    said, told = tenant("acme", "--email", "root@acme.example", "--json")
    again = json.loads(said)
    assert "there already" in told
    assert (again["password"], again["api_key"]) == (None, None)
    assert access.of_token(first["api_key"])
    assert User.objects.get().check_password(first["password"])
    assert ApiKey.objects.count() == Tenant.objects.count() == 1


def test_another_key_only_when_asked():
    tenant("acme", "--email", "root@acme.example")
    again = json.loads(tenant("acme", "--email", "root@acme.example", "--new-key", "--json")[0])
    assert access.of_token(again["api_key"])


def test_one_person_may_own_two():
    tenant("acme", "--email", "root@acme.example")
    tenant("other", "--email", "root@acme.example")
    assert Membership.objects.filter(role="owner").count() == 2
    assert User.objects.count() == 1


@pytest.mark.parametrize(
    "args",
    [
        ("alice", "--email", "else@example.org"),
        ("admin", "--email", "else@example.org"),
        ("Nope!", "--email", "else@example.org"),
        ("fine", "--email", "nonsense"),
        ("fine", "--email", "else@example.org", "--plan", "golden"),
    ],
)
def test_what_cannot_be_is_an_error_and_makes_nothing(alice, args):
    with pytest.raises(CommandError):
        tenant(*args)
    assert (User.objects.count(), Tenant.objects.count(), ApiKey.objects.count()) == (1, 1, 1)


def test_people_read_it_too():
    said, _ = tenant("acme", "--email", "root@acme.example")
    assert "acme" in said
    assert "ps_" in said
