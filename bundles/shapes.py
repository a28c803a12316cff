"""What the REST doors of this floor answer and accept."""

import base64
import binascii
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from ninja import Schema
from pydantic import ConfigDict, Field

from billing.errors import ApiError
from billing.exact import Exact
from bundles.definitions import definition
from bundles.models import Bundle, Module, Revision
from bundles.service import Service

Json = dict[str, Any]


class ProblemOut(Schema):
    severity: Literal["error", "warning"]
    file: str
    line: int
    column: int
    message: str
    hint: str = ""


class EndpointOut(Schema):
    name: str
    method: str
    path: str
    to: str
    auth: str


class IntentOut(Schema):
    name: str
    when_sensor: str
    to: str


class ServiceOut(Schema):
    name: str
    description: str
    base_path: str
    endpoints: list[EndpointOut]
    intents: list[IntentOut]
    goals: list[str]


class BundleOut(Schema):
    id: UUID
    name: str
    display_name: str
    description: str
    revision: int
    live_revision: int | None
    status: str
    problems: list[ProblemOut]
    services: list[ServiceOut]
    source: Json
    created: datetime
    updated: datetime


class BundlesOut(Schema):
    items: list[BundleOut]
    next: str | None


class RevisionOut(Schema):
    revision: int
    author: str
    message: str
    created: datetime
    errors: int
    files: int


class ModuleOut(Schema):
    id: UUID
    name: str
    sha256: str
    size: int
    interface: str
    exports: list[str]
    signatures: dict[str, str]
    imports: list[str]
    permissions: list[str]
    wit: str
    status: Literal["compiling", "ready", "failed"]
    error: str
    created: datetime
    updated: datetime


class Encoded(Schema):
    """A file that is not text."""

    model_config = ConfigDict(extra="forbid")
    base64: str


class NewBundle(Exact):
    name: str | None = None
    files: dict[str, str | Encoded]
    message: str = Field("", max_length=300)

    def contents(self) -> dict[str, bytes]:
        return contents_of(self.files)


class NewRepository(Exact):
    url: str = Field(max_length=2000)
    branch: str | None = Field(None, max_length=200)
    name: str | None = None
    token: str | None = Field(None, max_length=2000)


def contents_of(files: Mapping[str, str | Encoded]) -> dict[str, bytes]:
    return {path: _bytes(path, value) for path, value in files.items()}


def _bytes(path: str, value: str | Encoded) -> bytes:
    try:
        if isinstance(value, str):
            return value.encode("utf-8")
        return base64.b64decode(value.base64, validate=True)
    except (UnicodeEncodeError, binascii.Error):
        where = path.encode("ascii", "backslashreplace").decode()
        problem = {"severity": "error", "file": where, "line": 1, "column": 1, "hint": ""}
        raise ApiError(
            422,
            f"{where}: the content cannot be read.",
            errors=[problem | {"message": "not UTF-8 or base64"}],
        ) from None


def bundle_json(bundle: Bundle, revision: Revision) -> Json:
    return {
        "id": bundle.pk,
        "name": bundle.name,
        "display_name": bundle.display_name or bundle.name,
        "description": bundle.description,
        "revision": bundle.revision,
        "live_revision": bundle.live_revision,
        "status": bundle.status,
        "problems": revision.problems,
        "services": [service_json(bundle, service) for service in definition(revision).services],
        "source": {key: bundle.source[key] for key in ("git", "branch", "commit") if key in bundle.source},
        "created": bundle.created,
        "updated": bundle.updated,
    }


def service_json(bundle: Bundle, service: Service) -> Json:
    start = f"/{bundle.tenant.slug}{service.base_path}"
    return {
        "name": service.name,
        "description": service.description,
        "base_path": service.base_path,
        "endpoints": [
            {
                "name": one.name,
                "method": one.method,
                "path": start + one.path,
                "to": str(one.to),
                "auth": one.auth,
            }
            for one in service.endpoints
        ],
        "intents": [
            {"name": one.name, "when_sensor": one.when_sensor, "to": str(one.to)} for one in service.intents
        ],
        "goals": [goal.name for goal in service.goals],
    }


def revision_json(revision: Revision) -> Json:
    return {
        "revision": revision.number,
        "author": revision.author,
        "message": revision.message,
        "created": revision.created,
        "errors": revision.errors,
        "files": len(revision.files),
    }


def module_json(module: Module) -> Json:
    binary = module.binary
    return {
        "id": module.pk,
        "name": module.name,
        "sha256": binary.sha256,
        "size": binary.size,
        "interface": binary.interface,
        "exports": list(binary.exports),
        "signatures": binary.exports,
        "imports": binary.imports,
        "permissions": binary.permissions,
        "wit": module.wit,
        "status": binary.state,
        "error": binary.error,
        "created": module.created,
        "updated": module.updated,
    }
