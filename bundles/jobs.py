"""Imports that a page waits for: what to do and how it went stands in Redis for an hour, a worker does it."""

import json
from typing import Any, Literal, TypedDict
from uuid import UUID

from redis.exceptions import RedisError

from billing.errors import ApiError
from billing.ids import uuid7
from billing.redis import redis
from billing.seal import seal, unseal
from bundles import wake
from bundles.author import Author
from bundles.origin import Repository

KEPT = 3600  # seconds
GIT_IMPORT = "bundles.git_import"


class Job(TypedDict):
    """What a page shows of an import."""

    id: str
    state: Literal["queued", "running", "done", "failed"]
    text: str
    errors: list[dict[str, Any]]
    bundle: str


class Order(TypedDict):
    """What the worker needs; sealed, because it may hold a token."""

    actor: str
    address: str
    url: str
    branch: str | None
    token: str | None
    name: str | None


def ask(by: Author, repository: Repository, *, name: str | None) -> Job:
    job = Job(id=str(uuid7()), state="queued", text="Waiting for a worker …", errors=[], bundle="")
    order = Order(
        actor=by.name,
        address=by.address,
        url=repository.url,
        branch=repository.branch,
        token=repository.token,
        name=name,
    )
    tenant = str(by.who.tenant_id)
    try:
        redis().set(_key(tenant, job["id"], "order"), seal(json.dumps(order).encode(), job["id"]), ex=KEPT)
        put(tenant, job)
    except RedisError:
        raise ApiError(503, "Imports are not possible right now.", headers={"Retry-After": "10"}) from None
    wake.send(GIT_IMPORT, tenant, job["id"])
    return job


def put(tenant: str, job: Job) -> None:
    redis().set(_key(tenant, job["id"], "job"), json.dumps(job), ex=KEPT)


def get(tenant: UUID | str, job_id: str) -> Job | None:
    """The tenant's job; nobody sees those of others, because the tenant is part of the key."""
    raw = redis().get(_key(str(tenant), job_id, "job"))
    found: Job | None = json.loads(raw) if raw else None
    return found


def take_order(tenant: str, job_id: str) -> Order | None:
    raw = redis().get(_key(tenant, job_id, "order"))
    found: Order | None = json.loads(unseal(raw, job_id)) if raw else None  # type: ignore[arg-type]
    return found


def forget_order(tenant: str, job_id: str) -> None:
    redis().delete(_key(tenant, job_id, "order"))


def _key(tenant: str, job_id: str, part: str) -> str:
    return f"tenant:{tenant}:import:{job_id}:{part}"
