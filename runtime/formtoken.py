"""The token in a form: which tenant and prompt it was made for and when, signed; nothing is kept of it."""

import secrets

from django.core import signing

from billing.errors import ApiError

LASTS_S = 4 * 3600
OLD = "This page was open for too long. Please check it and send it again."
FOREIGN = "This did not come from the form itself, so it was not taken. Please send it from here."


class Stale(ApiError):
    """It was the right form, but long ago: what was written in it may be shown again."""


def make(tenant_id: str, prompt_id: str) -> str:
    return signer(tenant_id, prompt_id).sign(secrets.token_urlsafe(9))


def check(token: str, tenant_id: str, prompt_id: str) -> None:
    """ApiError 403 unless it was made for this form a while ago at most."""
    try:
        signer(tenant_id, prompt_id).unsign(token[:200], max_age=LASTS_S)
    except signing.SignatureExpired:
        raise Stale(403, OLD) from None
    except signing.BadSignature:
        raise ApiError(403, FOREIGN) from None


def signer(tenant_id: str, prompt_id: str) -> signing.TimestampSigner:
    return signing.TimestampSigner(salt=f"priostack.forms:{tenant_id}:{prompt_id}")
