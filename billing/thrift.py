"""The notice that a balance is low: once for each time that it falls below the owner's threshold."""

import logging
from datetime import datetime
from smtplib import SMTPException
from uuid import UUID

from django.conf import settings
from django.core.mail import send_mail
from django.db.models import F
from django.template.loader import render_to_string
from django.urls import reverse

from billing.models import Membership, Role, Wallet

log = logging.getLogger(__name__)


def notice(now: datetime) -> int:
    """Tell the owners of wallets that fell below their threshold since the last look; how many wallets."""
    # Deposits do this themselves; a threshold that was lowered does not.
    Wallet.objects.filter(warned__isnull=False, balance__gte=F("low_at")).update(warned=None)
    low = Wallet.objects.filter(warned__isnull=True, balance__lt=F("low_at"))
    told = 0
    for wallet in list(low.select_related("tenant")[:1000]):
        if low.filter(pk=wallet.pk).update(warned=now) == 1:  # whoever writes it down sends the mail
            tell(wallet)
            told += 1
    return told


def tell(wallet: Wallet) -> None:
    owners = Membership.objects.filter(tenant=wallet.tenant, role=Role.OWNER, user__is_active=True)
    to = list(owners.values_list("user__email", flat=True))
    link = settings.BASE_URL + reverse("billing:wallet")
    body = render_to_string("billing/email/low.txt", {"wallet": wallet, "link": link})
    try:
        send_mail(f"{wallet.tenant.slug}: {wallet.balance} credits are left", body, None, to)
    except (SMTPException, OSError) as problem:  # the pages say it all the same
        log.warning("a low balance could not be told: %s", problem)


def set_threshold(tenant_id: UUID, low_at: int) -> None:
    """A tenant from before there were wallets gets one."""
    Wallet.objects.update_or_create(tenant_id=tenant_id, defaults={"low_at": low_at})
