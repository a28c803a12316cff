"""A second factor from the page that makes it to the step of the sign-in that asks for it."""

import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.test import Client

from billing.models import User

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_redis")]
PASSWORD = "correct horse battery staple"
WHERE = "/accounts/2fa/totp/activate/"


def code(secret: str) -> str:
    return format_hotp_value(hotp_value(secret, next(iter(yield_hotp_counters_from_time()))))


def test_who_just_signed_up_makes_one_and_is_asked_for_it() -> None:
    """Also where addresses are never confirmed, which is how an installation without mail begins."""
    browser = Client()
    body = {"email": "dora@example.org", "password1": PASSWORD, "password2": PASSWORD, "tenant": "dora"}
    browser.post("/accounts/signup/", body)
    browser.post(f"/accounts/reauthenticate/?next={WHERE}", {"password": PASSWORD})
    assert browser.get(WHERE).status_code == 200
    secret = browser.session["mfa.totp.secret"]
    assert browser.post(WHERE, {"code": code(secret)}).status_code == 302
    assert User.objects.get().authenticator_set.filter(type="totp").exists()

    other = Client()
    answer = other.post("/accounts/login/", {"login": "dora@example.org", "password": PASSWORD})
    assert answer["Location"] == "/accounts/2fa/authenticate/"
    assert other.get("/dashboard").status_code == 302
    step = other.get("/accounts/2fa/authenticate/").content.decode()
    assert 'name="code"' in step
    wrong = other.post("/accounts/2fa/authenticate/", {"code": "12"}).content.decode()
    assert "Incorrect code" in wrong
    assert other.get("/dashboard").status_code == 302
