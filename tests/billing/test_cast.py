"""Bob sees what Alice owns; Charlie and strangers do not."""

import pytest

from billing import access, keys

pytestmark = pytest.mark.django_db


def test_a_key_acts_for_its_tenant_with_its_scopes(alice):
    _, token = keys.create(alice.tenant, "reader", scopes=("read",))
    who = access.of_token(token)
    assert (who.tenant, who.may("read"), who.may("write")) == ("alice", True, False)


def test_an_unknown_key_is_nobody(alice):
    assert access.of_token(alice.token + "x") is None


def test_roles_grow(alice, bob):
    assert access.of_user(alice.user).may("owner")
    assert not access.of_user(bob.user).may("write")
