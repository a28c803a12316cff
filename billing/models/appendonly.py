"""Rows that are added and never changed: neither one by one nor many at once."""

from typing import TYPE_CHECKING, Any, NoReturn

from django.db import models


class Immutable(TypeError):
    """Somebody tried to change or delete what was written down."""


if TYPE_CHECKING:  # generic in their stubs only
    Rows = models.QuerySet[Any]
else:
    Rows = models.QuerySet


class AddedOnly(Rows):
    def _refuse(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise Immutable(f"{self.model.__name__} is append-only: post another entry instead.")

    update = delete = update_or_create = bulk_update = _refuse

    def bulk_create(self, objs: Any, *args: Any, **kwargs: Any) -> Any:
        if kwargs.get("update_conflicts"):
            self._refuse()
        return super().bulk_create(objs, *args, **kwargs)


Entries = models.Manager.from_queryset(AddedOnly)


class AppendOnly(models.Model):
    objects = Entries()

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise Immutable(f"{type(self).__name__} is append-only: post another entry instead.")
        super().save(*args, **{**kwargs, "force_insert": True})

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise Immutable(f"{type(self).__name__} is append-only: post another entry instead.")
