"""The wallet over REST and as a page: balance, statement, CSV, threshold; adjustments in the admin and by command."""

import csv
import io
import json
import re
from datetime import UTC, datetime

import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse

from billing import statement, thrift, wallet
from billing.models import AuditEntry, Leg, Membership, Plan, User, Wallet

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 21, tzinfo=UTC)


@pytest.fixture(autouse=True)
def adds_up():
    yield
    assert wallet.check() == []


@pytest.fixture
def moved(alice):
    """Some entries of each direction."""
    mine = alice.tenant.pk
    with transaction.atomic():
        wallet.charge_all("round:1", 7, [mine], "round 1")
    wallet.hold(mine, 100, key="h1", note="tomorrow")
    wallet.hold(mine, 50, key="h2")
    wallet.release(mine, 50, key="r2")
    wallet.grant(mine, 5, key="g", note="=1+1", actor="root@example.org")
    return alice


def test_the_wallet_over_rest(moved):
    shown = moved.api.get("/api/wallet").json()
    executions = shown.pop("executions")
    spent = 107
    assert shown == {
        "balance": 10_000 - spent + 5,
        "escrow": 100,
        "low_at": 10,
        "spent_month": spent,
        "plan": "enterprise",
    }
    assert (executions["used"], executions["limit"]) == (0, None)
    assert executions["resets"].endswith("-01T00:00:00Z")


def test_entries_are_paged_newest_first_with_the_balance_after_each(moved):
    page = moved.api.get("/api/wallet/entries", {"limit": 4}).json()
    assert [line["kind"] for line in page["items"]] == ["grant", "release", "hold", "hold"]
    assert [line["balance"] for line in page["items"]] == [9_898, 9_893, 9_843, 9_893]
    rest = moved.api.get("/api/wallet/entries", {"cursor": page["next"]}).json()
    assert [(line["kind"], line["amount"]) for line in rest["items"]] == [("round", -7), ("starter", 10_000)]
    assert rest["next"] is None
    only = moved.api.get("/api/wallet/entries", {"kind": "hold"}).json()
    assert [line["amount"] for line in only["items"]] == [-50, -100]


def test_the_statement_of_another_tenant_is_not_shown(moved, charlie):
    assert len(charlie.api.get("/api/wallet/entries").json()["items"]) == 1
    assert charlie.api.get("/api/wallet").json()["balance"] == 10_000


@pytest.mark.parametrize(
    "query", [{"cursor": "x"}, {"cursor": "-1"}, {"cursor": str(2**63)}, {"limit": "0"}, {"kind": "nothing"}]
)
def test_odd_questions_for_entries_are_refused(alice, query):
    assert alice.api.get("/api/wallet/entries", query).status_code == 422


@pytest.mark.parametrize("value", ["-1", "1.0", "1.5", '"5"', "true", "null", "NaN", "1e3", str(10**12 + 1)])
def test_a_threshold_is_a_whole_number(alice, value):
    answer = alice.client.put("/api/wallet", f'{{"low_at": {value}}}', content_type="application/json")
    assert answer.status_code in {400, 422}
    assert Wallet.objects.get(pk=alice.tenant.pk).low_at == 10


def test_an_admin_sets_the_threshold_and_a_viewer_does_not(alice, bob):
    body = {"low_at": 500}
    assert bob.client.put("/api/wallet", body, content_type="application/json").status_code == 403
    assert alice.client.put("/api/wallet", body, content_type="application/json").json()["low_at"] == 500
    assert bob.client.post("/wallet", body).status_code == 403
    assert alice.client.post("/wallet", {"low_at": "600"}).status_code == 302
    assert alice.client.post("/wallet", {"low_at": "-1"}).status_code == 422
    assert Wallet.objects.get(pk=alice.tenant.pk).low_at == 600
    assert AuditEntry.objects.filter(action="wallet.low_at").count() == 2


def test_the_page_shows_balance_statement_and_executions(moved):
    Plan.objects.filter(slug="enterprise").update(executions=2_000)
    text = moved.client.get("/wallet").content.decode()
    for expected in ("9,898", "+10,000", "Paid for a round", "of 2,000", "plan enterprise"):
        assert expected in text
    part = moved.client.get("/wallet?kind=hold", headers={"hx-request": "true"}).content.decode()
    assert "tomorrow" in part
    assert "<html" not in part
    assert "Starter" not in part
    for wrong in ("kind=nothing", "before=x", "before=" + "9" * 30, "before=-1"):
        assert moved.client.get(f"/wallet?{wrong}").status_code == 404


def test_a_long_statement_has_pages(alice):
    for number in range(60):
        wallet.grant(alice.tenant.pk, 1, key=f"g{number}", note=f"n{number}")
    first = alice.client.get("/wallet").content.decode()
    assert first.count("<tr>") == 51
    older = re.search(r"\?before=(\d+)", first)
    assert older
    assert alice.client.get(f"/wallet?before={older[1]}").content.decode().count("<tr>") == 12


def test_the_csv_has_every_entry_and_no_formulas(moved):
    answer = moved.client.get("/wallet/entries.csv")
    rows = list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode())))
    assert answer["Content-Disposition"].startswith('attachment; filename="alice-wallet-')
    assert [row["amount"] for row in rows] == ["5", "50", "-50", "-100", "-7", "10000"]
    assert rows[0]["note"] == "'=1+1"
    assert rows[0]["balance"] == "9898"
    some = moved.client.get("/wallet/entries.csv?kind=hold")
    assert len(b"".join(some.streaming_content).splitlines()) == 3


def test_what_was_spent_counts_from_the_first_of_the_month(moved):
    now = datetime.now(UTC)
    assert statement.spent_since(moved.tenant.pk, now.replace(year=now.year - 1)) == 107
    assert statement.spent_since(moved.tenant.pk, now.replace(year=now.year + 1)) == 0


def test_a_low_balance_is_told_once_for_each_fall(alice, bob):
    mine = alice.tenant.pk
    thrift.notice(NOW)
    assert mail.outbox == []
    wallet.take(mine, 9_995, key="t", note="x")
    assert thrift.notice(NOW) == 1
    for number in range(3):  # it stays low: rounds go on
        with transaction.atomic():
            wallet.charge_all(f"round:{number}", 1, [mine])
        assert thrift.notice(NOW) == 0
    assert [one.to for one in mail.outbox] == [["alice@example.org"]]
    assert "5 credits are left" in mail.outbox[0].subject
    wallet.grant(mine, 100, key="g", note="x")
    wallet.take(mine, 100, key="t2", note="x")
    assert thrift.notice(NOW) == 1
    assert len(mail.outbox) == 2


def test_a_tenant_without_starter_credits_is_not_told_at_once(alice):
    Plan.objects.filter(slug="free").update(starter_credits=0)
    from billing.tenants import found

    found("newcomer", alice.user, plan="free")
    assert thrift.notice(NOW) == 0


def test_the_banner_shows_while_the_balance_is_low(alice):
    assert alice.client.get("/wallet/low").status_code == 204
    wallet.take(alice.tenant.pk, 9_999, key="t", note="x")
    assert "1 credit left" in alice.client.get("/wallet/low").content.decode()
    assert "/wallet/low" in alice.client.get("/dashboard").content.decode()


@pytest.fixture
def root(alice):
    client = Client()
    user = User.objects.create_superuser("root@example.org", "pw")
    client.force_login(user, "allauth.account.auth_backends.AuthenticationBackend")
    return client


def adjust(client, person, verb, **more):
    body = {"action": f"{verb}_credits", "_selected_action": [str(person.tenant.pk)], **more}
    return client.post(reverse("admin:billing_wallet_changelist"), body)


def balance(person):
    return wallet.balances([person.tenant.pk])[person.tenant.pk]


def test_the_admin_gives_and_takes_with_a_reason_and_a_second_click_does_nothing(root, alice):
    form = adjust(root, alice, "grant").content.decode()
    once = re.search(r'name="once" value="([^"]+)"', form)
    assert once
    given = {"credits": "50", "reason": "sorry for yesterday", "once": once[1]}
    for _ in range(2):
        assert adjust(root, alice, "grant", **given).status_code == 302
    assert balance(alice) == 10_050
    entry = AuditEntry.objects.get(action="wallet.grant")
    assert (entry.actor, entry.detail) == ("root@example.org", {"reason": "sorry for yesterday"})
    assert adjust(root, alice, "take", credits="51", reason="r", once="x").status_code == 302
    assert balance(alice) == 9_999


@pytest.mark.parametrize(
    "wrong", [{"credits": "-5"}, {"credits": "0"}, {"credits": "1.5"}, {"credits": "NaN"}, {"reason": " "}]
)
def test_the_admin_refuses_what_is_no_amount_or_has_no_reason(root, alice, wrong):
    given = {"credits": "5", "reason": "r", "once": "x"} | wrong
    assert adjust(root, alice, "grant", **given).status_code == 200
    assert balance(alice) == 10_000


def test_the_admin_takes_no_more_than_there_is(root, alice):
    answer = adjust(root, alice, "take", credits="10001", reason="r", once="x")
    assert "10,000 are there" in answer.content.decode()
    assert balance(alice) == 10_000


def test_staff_without_the_permission_adjusts_nothing(alice):
    user = User.objects.create_user("clerk@example.org", "pw", is_staff=True)
    client = Client()
    client.force_login(user, "allauth.account.auth_backends.AuthenticationBackend")
    adjust(client, alice, "grant", credits="5", reason="r", once="x")
    assert balance(alice) == 10_000


def test_the_admin_changes_no_wallet_and_no_entry(root, alice):
    leg = Leg.objects.first()
    before = list(Leg.objects.values()), list(Wallet.objects.values())
    for page, row in (("wallet", alice.tenant.pk), ("leg", leg.pk), ("journal", leg.journal_id)):
        for verb in ("change", "delete"):
            path = reverse(f"admin:billing_{page}_{verb}", args=[row])
            assert root.post(path, {"balance": "5", "post": "yes"}).status_code == 403
    assert (list(Leg.objects.values()), list(Wallet.objects.values())) == before


def test_a_tenant_added_in_the_admin_has_its_wallet(root, alice):
    body = {"slug": "fresh", "name": "", "plan": "pro"}
    inline = {"memberships-TOTAL_FORMS": "0", "memberships-INITIAL_FORMS": "0"}
    assert root.post(reverse("admin:billing_tenant_add"), body | inline).status_code == 302
    assert Wallet.objects.get(tenant__slug="fresh").balance == 2_000


def test_the_command_grants_takes_shows_and_checks(alice, capsys):
    call_command("wallet", "grant", "alice", "25", "--reason", "a gift")
    call_command("wallet", "take", "alice", "5", "--reason", "too much")
    call_command("wallet", "show", "alice")
    call_command("wallet", "check")
    out = capsys.readouterr().out
    assert "alice: 10020 credits, 0 reserved" in out
    assert "adds up" in out
    assert AuditEntry.objects.filter(actor="command line", action__startswith="wallet.").count() == 2


@pytest.mark.parametrize(
    "words",
    [
        *(["grant", "alice", text, "--reason", "r"] for text in ("0", "1.5", "1_000", "NaN", "٣", "1" * 30)),
        ["grant", "nobody", "5", "--reason", "r"],
        ["grant", "alice", "5", "--reason", " "],
        ["take", "alice", "10001", "--reason", "r"],
    ],
    ids=" ".join,
)
def test_the_command_refuses(alice, words):
    with pytest.raises(CommandError):
        call_command("wallet", *words)
    assert balance(alice) == 10_000


def test_the_database_refuses_to_rewrite_an_entry(alice):
    for table in ("billing_leg", "billing_journal"):
        column = "amount = 5" if table == "billing_leg" else "note = 'x'"
        with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
            connection.cursor().execute(f"UPDATE {table} SET {column}")


def test_owners_are_told_and_nobody_else(alice, bob):
    Membership.objects.filter(user=bob.user).update(role="admin")
    wallet.take(alice.tenant.pk, 9_999, key="t", note="x")
    thrift.notice(NOW)
    assert mail.outbox[0].to == ["alice@example.org"]
    assert json.loads(json.dumps(mail.outbox[0].body)).count("/wallet") == 1
