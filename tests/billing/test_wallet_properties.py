"""Whatever is done to wallets in whatever order, they agree with a dictionary that is added up by hand."""

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billing import wallet
from billing.models import Wallet

pytestmark = pytest.mark.django_db
WHO = st.integers(0, 1)
AMOUNT = st.one_of(st.integers(1, 20), st.just(10**12))
KEY = st.integers(0, 12)  # few, so that some come twice
MOVES = ("grant", "take", "purchase", "hold", "release", "earn", "refund")
STEP = st.tuples(st.sampled_from(MOVES), WHO, AMOUNT, KEY)
ROUND = st.tuples(st.just("round"), st.sets(WHO), st.integers(1, 15), KEY)


class Undone(Exception):
    pass


class Model:
    """Wallets, escrow and revenue by plain addition."""

    def __init__(self, balances):
        self.balance, self.held, self.keys = list(balances), [0] * len(balances), set()

    def step(self, verb, who, amount, key):
        """None when it is refused, else whether it was done."""
        spends, frees = verb in {"take", "hold"}, verb in {"release", "earn"}
        if key in self.keys:
            return False
        if (spends and self.balance[who] < amount) or (frees and self.held[who] < amount):
            return None
        self.keys.add(key)
        if verb in {"grant", "purchase", "refund", "release"}:
            self.balance[who] += amount
        if spends:
            self.balance[who] -= amount
        self.held[who] += {"hold": amount, "release": -amount, "earn": -amount}.get(verb, 0)
        return True

    def round(self, who, price, key):
        if key in self.keys:
            return False
        if any(self.balance[one] < price for one in who):
            return None
        self.keys.add(key)
        for one in who:
            self.balance[one] -= price
        return True


def act(ids, verb, who, amount, key):
    more = {"note": "x"} if verb in {"grant", "take", "refund"} else {}
    try:
        with transaction.atomic():
            if verb == "round":
                return wallet.charge_all(f"k{key}", amount, [ids[one] for one in who])
            return getattr(wallet, verb)(tenant_id=ids[who], credits=amount, key=f"k{key}", **more)
    except wallet.Insufficient:
        return None


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.one_of(STEP, ROUND), max_size=25))
def test_wallets_agree_with_plain_addition(alice, charlie, steps):
    ids = [alice.tenant.pk, charlie.tenant.pk]
    try:
        with transaction.atomic():
            for number, one in enumerate(ids):
                wallet.take(one, 9_980, key=f"down{number}", note="x")
            model = Model([20, 20])
            for verb, who, amount, key in steps:
                does = (
                    model.round(who, amount, key) if verb == "round" else model.step(verb, who, amount, key)
                )
                assert act(ids, verb, who, amount, key) is does
            rows = {row.pk: row for row in Wallet.objects.all()}
            assert [rows[one].balance for one in ids] == model.balance
            assert [rows[one].held for one in ids] == model.held
            assert wallet.check() == []
            raise Undone
    except Undone:
        pass
