"""Celery's part of the billing floor."""

from celery import shared_task
from django.utils import timezone

from billing import thrift


@shared_task(name="billing.low_balance")
def low_balance() -> None:
    thrift.notice(timezone.now())
