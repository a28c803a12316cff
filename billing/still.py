"""Whether somebody who opened a long-lived connection may still have it (a socket outlives its request)."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.models import Session
from django.db.models import Q
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from billing.access import Principal, of_key, scopes_of
from billing.models import ApiKey, Membership, User


def still(who: Principal) -> bool:
    """Membership, role, key and session are what they were, or better."""
    return still_all([who])[0]


def still_all(everybody: Sequence[Principal]) -> list[bool]:
    """``still`` for many at once: at most three queries, however many sockets a process holds."""
    keys = living_keys({who.key_id for who in everybody if who.key_id})
    people = {who for who in everybody if who.key_id is None}
    members = memberships(people)
    signed_in = sessions({who.session for who in people if who.session})
    return [
        holds(who, keys.get(who.key_id)) if who.key_id else belongs(who, members, signed_in)
        for who in everybody
    ]


def holds(who: Principal, key: ApiKey | None) -> bool:
    return key is not None and key.tenant_id == who.tenant_id and who.scopes <= of_key(key).scopes


Members = dict[tuple[UUID, int], Membership]


def belongs(who: Principal, members: Members, signed_in: dict[str, dict[str, str]]) -> bool:
    membership = members.get((who.tenant_id, who.user_id or 0))
    if membership is None or not who.scopes <= scopes_of(membership):
        return False
    return not who.session or proves(signed_in.get(who.session, {}), membership.user)


def proves(session: dict[str, str], user: User) -> bool:
    """The session is this person's and as old as the password."""
    proof = session.get(HASH_SESSION_KEY, "")
    return session.get(SESSION_KEY) == str(user.pk) and constant_time_compare(
        proof, user.get_session_auth_hash()
    )


def living_keys(ids: Iterable[UUID]) -> dict[UUID | None, ApiKey]:
    alive = Q(expires=None) | Q(expires__gt=timezone.now())
    rows = ApiKey.objects.select_related("tenant").filter(alive, pk__in=list(ids))
    return {key.pk: key for key in rows}


def memberships(people: Iterable[Principal]) -> Members:
    wanted = {who.user_id for who in people if who.user_id}
    rows = Membership.objects.select_related("user").filter(user_id__in=wanted, user__is_active=True)
    return {(row.tenant_id, row.user_id): row for row in rows}


def sessions(ids: Iterable[str]) -> dict[str, dict[str, str]]:
    rows = Session.objects.filter(session_key__in=list(ids), expire_date__gt=timezone.now())
    return {row.session_key: row.get_decoded() for row in rows}
