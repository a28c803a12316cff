"""`/api/keys`: an API key's token is shown once, when it is made."""

from datetime import datetime
from typing import Any
from uuid import UUID

from ninja import Field, Router, Schema, Status

from billing import changes
from billing.door import Asked, Door
from billing.exact import Exact
from billing.keys import SCOPES
from billing.models import ApiKey

router = Router()


class NewKey(Exact):
    name: str
    scopes: list[str] = Field(default=list(SCOPES))
    expires: datetime | None = None


class Key(Schema):
    id: UUID
    name: str
    prefix: str
    scopes: list[str]
    created: datetime
    created_by: str | None = None
    expires: datetime | None
    last_used: datetime | None

    @staticmethod
    def resolve_created_by(key: ApiKey) -> str | None:
        return key.created_by.email if key.created_by else None


class MadeKey(Key):
    api_key: str


class Keys(Schema):
    items: list[Key]
    next: str | None = None


@router.get("/keys", auth=Door("admin"), response=Keys)
def list_keys(request: Asked) -> dict[str, Any]:
    """The tenant's API keys, without their tokens."""
    mine = ApiKey.objects.select_related("created_by").filter(tenant_id=request.who.tenant_id, console=False)
    return {"items": list(mine), "next": None}


@router.post("/keys", auth=Door("admin"), response={201: MadeKey})
def create_key(request: Asked, data: NewKey) -> Status[Any]:
    """A new key; `api_key` is shown this once and cannot be read again."""
    key, token = changes.issue_key(request, data.name, scopes=data.scopes, expires=data.expires)
    shown = Key.from_orm(key).dict()
    return Status(201, {**shown, "api_key": token})


@router.delete("/keys/{uuid:key_id}", auth=Door("admin"), response={204: None})
def delete_key(request: Asked, key_id: UUID) -> Status[None]:
    """Revoke a key; calls with it are refused within seconds everywhere."""
    changes.revoke_key(request, key_id)
    return Status(204, None)
