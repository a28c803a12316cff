"""The billing floor: who is asking, and what they may spend."""

from django.apps import AppConfig


class BillingConfig(AppConfig):
    name = "billing"
    verbose_name = "Accounts"
