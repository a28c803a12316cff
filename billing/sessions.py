"""Ending the browser sessions of one person."""

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.models import Session
from django.utils import timezone

from billing.models import User


def end_all(user: User) -> int:
    """Every session of ``user`` ends now, this one too; how many there were."""
    living = Session.objects.filter(expire_date__gt=timezone.now()).iterator(chunk_size=500)
    mine = [row.session_key for row in living if row.get_decoded().get(SESSION_KEY) == str(user.pk)]
    return Session.objects.filter(session_key__in=mine).delete()[0]
