"""`manage.py reseal` leaves nothing behind that only the old key opens; second factors lie sealed."""

from io import StringIO
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from django.core.management import call_command

from billing import mfa, secrets
from bundles import hooks, store
from bundles.models import Bundle
from tests.bundles.samples import shop
from tests.conftest import Person

pytestmark = pytest.mark.django_db
SEED = "JBSWY3DPEHPK3PXP"


@pytest.fixture
def bundle(alice: Person) -> Bundle:
    bundle = store.import_files("test", alice.tenant, shop()).bundle
    Bundle.objects.filter(pk=bundle.pk).update(source={"git": "https://example.org/x.git"})
    bundle.refresh_from_db()
    return bundle


def test_after_it_the_old_key_is_needed_by_nothing(alice: Person, bundle: Bundle, settings: Any) -> None:
    first = settings.SECRET_KEY
    secrets.put(alice.tenant, "S", b"kept", [])
    secret = hooks.make("test", bundle, deploy=False)
    TOTP.activate(alice.user, SEED)
    codes = RecoveryCodes.activate(alice.user).generate_codes()
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "n" * 60, [first]
    out = StringIO()
    call_command("reseal", stdout=out)
    assert "1 secrets, 1 secrets of push webhooks and 2 second factors" in out.getvalue()
    settings.SECRET_KEY_FALLBACKS = []
    bundle.refresh_from_db()
    assert secrets.open_for(alice.tenant.pk, ["S"]) == {"S": b"kept"}
    assert hooks._secret(bundle) == secret.encode()
    assert mfa.Adapter().decrypt(Authenticator.objects.get(type="totp").data["secret"]) == SEED
    assert RecoveryCodes(Authenticator.objects.get(type="recovery_codes")).generate_codes() == codes


def test_a_second_factor_is_kept_sealed_and_one_from_before_still_opens(alice: Person) -> None:
    TOTP.activate(alice.user, SEED)
    row = Authenticator.objects.get()
    assert SEED not in str(row.data)
    row.data = {"secret": SEED}
    row.save()
    assert mfa.Adapter().decrypt(row.data["secret"]) == SEED
    assert (mfa.reseal(), mfa.reseal()) == (1, 0)
    assert SEED not in str(Authenticator.objects.get().data)
