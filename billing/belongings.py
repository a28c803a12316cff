"""All rows that belong to a tenant, found by following foreign keys, so that no new table is forgotten."""

from collections.abc import Iterator
from uuid import UUID

from django.apps import apps
from django.db.models import CASCADE, ForeignKey, Model, QuerySet

from billing.models import Tenant


def paths() -> dict[type[Model], str]:
    """Every model whose rows go with a tenant, and the lookup that leads from it to the tenant."""
    known: dict[type[Model], str] = {Tenant: ""}
    while True:
        found = {
            model: path for model in apps.get_models() if model not in known if (path := step(model, known))
        }
        if not found:
            return known
        known |= found


def step(model: type[Model], known: dict[type[Model], str]) -> str:
    for field in model._meta.fields:
        if isinstance(field, ForeignKey) and field.remote_field.on_delete is CASCADE:
            target = field.related_model
            if isinstance(target, type) and target in known:
                return f"{field.name}__{known[target]}".removesuffix("__")
    return ""


def rows_of(tenant_id: UUID) -> Iterator[tuple[type[Model], QuerySet[Model]]]:
    """The tenant's rows, model by model, what is pointed at first."""
    for model, path in paths().items():
        yield model, model._default_manager.filter(**{path or "pk": tenant_id})
