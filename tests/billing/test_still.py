"""Whoever holds a socket loses it with the role, the key, the session or the membership (A099)."""

from datetime import timedelta

import pytest
from django.utils import timezone

from billing import access, keys
from billing.models import ApiKey, Membership, User
from billing.still import still, still_all

pytestmark = pytest.mark.django_db


@pytest.fixture
def browser(bob):
    """Bob's principal as a websocket's scope gives it."""
    session = bob.client.session
    who = access.of_scope({"headers": [], "user": bob.user, "session": session})
    assert who.session == session.session_key
    return who


def test_nothing_changed_nothing_lost(browser, alice):
    assert still(browser)
    assert still(access.of_token(alice.token))


def test_a_removed_member_is_out(browser, bob):
    Membership.objects.filter(user=bob.user).delete()
    assert not still(browser)


def test_a_smaller_role_is_noticed_and_a_bigger_one_is_fine(bob):
    Membership.objects.filter(user=bob.user).update(role="editor")
    who = access.of_user(bob.user)
    Membership.objects.filter(user=bob.user).update(role="admin")
    assert still(who)
    Membership.objects.filter(user=bob.user).update(role="viewer")
    assert not still(who)


def test_signing_out_ends_this_session_only(browser, bob):
    other = access.of_user(bob.user)
    bob.client.post("/accounts/logout/")
    assert not still(browser)
    assert still(other)


def test_a_new_password_ends_it(browser, bob):
    bob.user.set_password("another horse")
    bob.user.save()
    assert not still(browser)


def test_a_session_of_somebody_else_proves_nothing(browser, alice):
    assert not still(access.of_user(alice.user, browser.session))


def test_a_disabled_person_is_out(browser, bob):
    User.objects.filter(pk=bob.user.pk).update(is_active=False)
    assert not still(browser)


def test_revoked_expired_and_narrowed_keys_are_out(alice):
    who = access.of_token(alice.token)
    ApiKey.objects.filter(pk=alice.key.pk).update(scopes=["read"])
    assert not still(who)
    ApiKey.objects.filter(pk=alice.key.pk).update(
        scopes=list(keys.SCOPES), expires=timezone.now() - timedelta(1)
    )
    assert not still(who)
    ApiKey.objects.filter(pk=alice.key.pk).update(expires=None)
    assert still(who)
    keys.revoke(alice.tenant.pk, alice.key.pk)
    assert not still(who)


def test_many_cost_three_queries(browser, alice, django_assert_max_num_queries):
    everybody = [access.of_token(alice.token), browser] * 200
    with django_assert_max_num_queries(3):
        assert still_all(everybody) == [True] * 400
