"""`/api/vars`: plain values that flows read as `vars.NAME`."""

from datetime import datetime
from typing import Any

from ninja import Router, Schema, Status

from billing import changes
from billing.door import Asked, Door
from billing.exact import Exact
from billing.models import Variable

router = Router()


class NewValue(Exact):
    told = frozenset({"name", "updated"})
    value: Any


class Value(Schema):
    name: str
    value: Any
    updated: datetime


class Values(Schema):
    items: list[Value]
    next: str | None = None


@router.get("/vars", auth=Door("read"), response=Values)
def list_vars(request: Asked) -> dict[str, Any]:
    """The tenant's variables by name; they come before those of bundle.yaml."""
    rows = Variable.objects.filter(tenant_id=request.who.tenant_id)
    return {"items": list(rows.values("name", "value", "updated")), "next": None}


@router.put("/vars/{name}", auth=Door("write"), response=Value)
def put_var(request: Asked, name: str, data: NewValue) -> Any:
    """Keep any JSON under a name, in place of an older value."""
    return changes.put_variable(request, name, data.value)


@router.delete("/vars/{name}", auth=Door("write"), response={204: None})
def delete_var(request: Asked, name: str) -> Status[None]:
    changes.delete_variable(request, name)
    return Status(204, None)
