"""The runtime floor: makes it happen."""

from django.apps import AppConfig


class RuntimeConfig(AppConfig):
    name = "runtime"
    verbose_name = "Runtime"

    def ready(self) -> None:
        from billing.tiers import enforced_by
        from runtime.tiers import enforce

        enforced_by(enforce)
