"""`/api/secrets` never gives a value back, to nobody, in no answer (A161, A162)."""

import pytest

from billing.models import AuditEntry, Secret
from billing.secrets import open_for

pytestmark = pytest.mark.django_db
CANARY = "canary-4471"


def put(person, name="STRIPE", **body):
    sent = {"value": CANARY, "hosts": ["api.stripe.com"], **body}
    return person.client.put(f"/api/secrets/{name}", sent, content_type="application/json")


def test_put_list_delete_and_no_value_anywhere(alice):
    answers = [put(alice), alice.client.get("/api/secrets"), alice.client.get("/api/audit")]
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert answers[1].json()["items"][0]["hosts"] == ["api.stripe.com"]
    for answer in answers:
        assert CANARY not in answer.content.decode()
    assert CANARY not in str(list(AuditEntry.objects.values()))
    assert open_for(alice.tenant.pk, ["STRIPE"]) == {"STRIPE": CANARY.encode()}
    assert alice.client.delete("/api/secrets/STRIPE").status_code == 204
    assert not Secret.objects.exists()


def test_a_refused_value_is_not_echoed(alice):
    for body in ({"hosts": "x"}, {"value": {"deep": CANARY}}, {"hosts": ["https://x"]}, {"value": ""}):
        answer = put(alice, **body)
        assert answer.status_code == 422
        assert CANARY not in answer.content.decode()
    assert not Secret.objects.exists()


def test_only_admins_and_never_keys(alice, bob):
    assert put(bob).status_code == 403
    body = {"value": "v", "hosts": []}
    assert alice.api.put("/api/secrets/X", body, content_type="application/json").status_code == 403
    assert alice.api.get("/api/secrets").status_code == 403
    assert not Secret.objects.exists()


def test_foreign_secrets_are_absent(alice, charlie):
    put(alice)
    assert charlie.client.get("/api/secrets").json()["items"] == []
    assert charlie.client.delete("/api/secrets/STRIPE").status_code == 404
    assert put(charlie, value="other").status_code == 200
    assert open_for(alice.tenant.pk, ["STRIPE"]) == {"STRIPE": CANARY.encode()}
