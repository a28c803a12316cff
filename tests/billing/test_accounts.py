"""Sign-up, sign-in, passwords and MFA through the real pages of allauth (A088–A095, A106)."""

import re

import pytest
from django.core import mail
from django.core.cache import cache
from django.test import Client

from billing.models import Membership, Tenant, User

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_redis")]
PASSWORD = "correct horse battery staple"


@pytest.fixture(autouse=True)
def fresh_limits(clean_redis):
    cache.clear()


def sign_up(browser=None, **fields):
    body = {
        "email": "dora@example.org",
        "password1": PASSWORD,
        "password2": PASSWORD,
        "tenant": "dora",
        **fields,
    }
    return (browser or Client()).post("/accounts/signup/", body)


def sign_in(browser, email="alice@example.org", password=PASSWORD, **more):
    return browser.post("/accounts/login/", {"login": email, "password": password}, **more)


def test_signing_up_founds_the_tenant_and_signs_in():
    browser = Client()
    assert "tenant" in browser.get("/accounts/signup/").content.decode()
    answer = sign_up(browser)
    assert (answer.status_code, answer["Location"]) == (302, "/dashboard")
    me = browser.get("/api/me").json()
    assert (me["tenant"], me["role"], me["plan"]) == ("dora", "owner", "pro")


@pytest.mark.parametrize(
    "slug",
    ["admin", "Dora", "d", "a--b", "-a", "a" * 40, "dörä", "аlice", "a/b", "a.b", "well-known", "a%00"],
)
def test_a_name_that_cannot_be_makes_neither_user_nor_tenant(slug):
    assert sign_up(tenant=slug).status_code == 200
    assert not User.objects.exists()
    assert not Tenant.objects.exists()


def test_a_taken_name_makes_nothing(alice):
    assert "is taken" in sign_up(tenant="alice").content.decode()
    assert User.objects.count() == Tenant.objects.count() == 1


def test_whoever_was_invited_signs_up_without_a_tenant():
    browser = Client()
    sign_up(browser, tenant="")
    assert browser.get("/settings/tenant")["Location"] == "/settings/found"
    assert not Membership.objects.exists()


def test_an_address_that_is_taken_is_not_told_apart(alice, settings):
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"
    taken = sign_up(email="ALICE@example.org", tenant="another")
    fresh = sign_up(email="fresh@example.org", tenant="fresh")
    assert (taken.status_code, taken["Location"]) == (fresh.status_code, fresh["Location"])
    assert not Tenant.objects.filter(slug="another").exists()


def test_a_reset_mail_points_to_our_address_whatever_host_was_sent(alice, settings):
    settings.ALLOWED_HOSTS = ["*"]
    answer = Client().post(
        "/accounts/password/reset/", {"email": alice.email}, headers={"host": "evil.example"}
    )
    assert answer.status_code == 302
    (message,) = mail.outbox
    everything = message.subject + message.body + str(message.alternatives)
    assert "evil" not in everything
    assert f"{settings.BASE_URL}/accounts/password/reset/key/" in message.body


def test_a_reset_for_a_stranger_looks_the_same_and_tells_no_host(alice, settings):
    settings.ALLOWED_HOSTS = ["*"]
    known = Client().post("/accounts/password/reset/", {"email": alice.email})
    unknown = Client().post(
        "/accounts/password/reset/", {"email": "nobody@example.org"}, headers={"host": "evil.example"}
    )
    assert (known.status_code, known["Location"]) == (unknown.status_code, unknown["Location"])
    assert all("evil" not in message.body for message in mail.outbox)


def test_a_reset_link_works_once_and_ends_other_sessions(alice):
    Client().post("/accounts/password/reset/", {"email": alice.email})
    path = re.search(r"http://[^/]+(/accounts/password/reset/key/\S+)", mail.outbox[0].body).group(1)
    browser = Client()
    form = browser.get(path)["Location"]
    new = {"password1": "another horse entirely 7", "password2": "another horse entirely 7"}
    assert browser.post(form, new).status_code == 302
    assert User.objects.get(pk=alice.user.pk).check_password(new["password1"])
    assert alice.client.get("/settings").status_code == 302, "the session of before is over"
    assert "password1" not in Client().get(path, follow=True).content.decode(), "the link is used up"


def test_a_new_password_keeps_this_session_and_ends_the_others(alice):
    other = Client()
    sign_in(other)
    assert other.get("/settings").status_code == 200
    body = {
        "oldpassword": PASSWORD,
        "password1": "another horse entirely 7",
        "password2": "another horse entirely 7",
    }
    assert alice.client.post("/accounts/password/change/", body).status_code == 302
    assert alice.client.get("/settings").status_code == 200
    assert other.get("/settings").status_code == 302


def test_signing_in_makes_a_new_session_and_cookies_are_guarded(alice):
    browser = Client()
    browser.get("/accounts/login/")
    session = browser.session
    session["planted"] = 1
    session.save()
    planted = browser.cookies["sessionid"].value if "sessionid" in browser.cookies else ""
    sign_in(browser)
    cookie = browser.cookies["sessionid"]
    assert cookie.value != planted
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"


def test_guessing_a_password_is_throttled_for_the_right_one_too(alice):
    browser = Client()
    for _ in range(6):
        sign_in(browser, password="wrong")
    assert "Too many failed" in sign_in(browser).content.decode()
    assert browser.get("/settings").status_code == 302


def test_unknown_and_known_addresses_get_the_same_answer(alice):
    wrong = sign_in(Client(), password="wrong").content.decode()
    unknown = sign_in(Client(), email="nobody@example.org", password="wrong").content.decode()

    def said(text):
        return re.findall(r"not correct[^<]*", text)

    assert said(wrong) == said(unknown) != []


@pytest.mark.parametrize(
    "target", ["//evil.example", "https://evil.example/x", "javascript:alert(1)", "/\\evil.example"]
)
def test_next_stays_at_home(alice, target):
    answer = Client().post("/accounts/login/", {"login": alice.email, "password": PASSWORD, "next": target})
    assert answer["Location"] == "/dashboard"


def test_a_forwarded_address_does_not_help_a_guesser(alice):
    for number in range(6):
        sign_in(Client(), password="wrong", headers={"x-forwarded-for": f"198.51.100.{number}"})
    answer = sign_in(Client(), headers={"x-forwarded-for": "198.51.100.99"})
    assert "Too many failed" in answer.content.decode()


def test_mfa_and_email_pages_are_reachable(alice):
    sign_in(alice.client)
    for path in (
        "/accounts/2fa/",
        "/accounts/2fa/totp/activate/",
        "/accounts/email/",
        "/accounts/password/change/",
    ):
        assert alice.client.get(path, follow=True).status_code == 200, path


def test_signing_out_needs_a_post(alice):
    alice.client.get("/accounts/logout/")
    assert alice.client.get("/settings").status_code == 200
    alice.client.post("/accounts/logout/")
    assert alice.client.get("/settings").status_code == 302
