"""What we change in allauth: links in mails are ours whatever Host was sent, and one rule says who calls."""

import logging
from smtplib import SMTPException
from typing import Any
from urllib.parse import urlsplit

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.http import HttpRequest

from billing.audit import address

log = logging.getLogger(__name__)


class Site:
    """Stands where allauth's mails name the site, which otherwise is the Host that somebody sent."""

    @property
    def domain(self) -> str:
        return str(urlsplit(settings.BASE_URL).netloc)

    name = "PrioStack"


def ours(url: str) -> str:
    """The same path at our own address."""
    parts = urlsplit(url)
    return settings.BASE_URL + parts._replace(scheme="", netloc="").geturl()


class Adapter(DefaultAccountAdapter):
    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        safe = {name: self._safe(name, value) for name, value in context.items()}
        super().send_mail(template_prefix, email, {**safe, "current_site": Site()})

    @staticmethod
    def _safe(name: str, value: Any) -> Any:
        if name.endswith("_url") and isinstance(value, str):
            return ours(str(value))
        return value

    def send_notification_mail(self, *args: Any, **kwargs: Any) -> None:
        """The change it tells of is done; a mail server that is down must not turn it into an error."""
        try:
            super().send_notification_mail(*args, **kwargs)
        except (SMTPException, OSError) as problem:
            log.warning("a notification could not be mailed: %s", problem)

    def get_client_ip(self, request: HttpRequest) -> str:
        return address(request)
