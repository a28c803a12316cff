"""`/api/secrets`: written and deleted, never read back."""

from datetime import datetime
from typing import Any

from ninja import Router, Schema, Status
from pydantic import SecretStr

from billing import changes, secrets
from billing.door import Asked, Door
from billing.exact import Exact

router = Router()


class NewValue(Exact):
    value: SecretStr
    hosts: list[str] = []


class Secret(Schema):
    name: str
    hosts: list[str]
    updated: datetime


class Secrets(Schema):
    items: list[Secret]
    next: str | None = None


@router.get("/secrets", auth=Door("admin"), response=Secrets)
def list_secrets(request: Asked) -> dict[str, Any]:
    """Names of the tenant's secrets and the hosts they may be sent to."""
    return {"items": secrets.names(request.who.tenant_id), "next": None}


@router.put("/secrets/{name}", auth=Door("admin"), response=Secret)
def put_secret(request: Asked, name: str, data: NewValue) -> Any:
    """Keep a value under a name, in place of an older one; without hosts it is sent nowhere."""
    return changes.put_secret(request, name, data.value.get_secret_value(), data.hosts)


@router.delete("/secrets/{name}", auth=Door("admin"), response={204: None})
def delete_secret(request: Asked, name: str) -> Status[None]:
    changes.delete_secret(request, name)
    return Status(204, None)
