"""Where a bundle came from: importing it from a Git repository, and bringing it up to date later."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.db import transaction

from billing import secrets
from billing.errors import ApiError
from billing.models import Tenant
from billing.throttle import demand
from bundles import git, store
from bundles.archive import ArchiveRefused
from bundles.author import Somebody
from bundles.draft import unacceptable
from bundles.git import GitFetch, GitRefused
from bundles.models import Bundle
from bundles.store import Imported

FETCHES_A_MINUTE = 120


@dataclass(frozen=True, slots=True)
class Repository:
    """What somebody gives to import from; the token stays out of every repr."""

    url: str
    branch: str | None = None
    token: str | None = None

    def __repr__(self) -> str:
        return f"Repository({git.clean_url(self.url)[0]!r}, {self.branch!r})"


def import_git(
    somebody: Somebody, tenant: Tenant, repository: Repository, *, display_name: str | None = None
) -> Imported:
    """Fetch, then import in one transaction; a token is kept sealed for later updates."""
    fetched = _fetch(repository)
    with transaction.atomic():
        done = store.import_files(
            somebody,
            tenant,
            fetched.files,
            message=_message(fetched),
            display_name=display_name,
            source=_source(fetched),
        )
        _keep_token(done.bundle, repository, fetched)
    return done


def update(somebody: Somebody, bundle: Bundle) -> Imported:
    """The newest commit of the branch that the bundle was imported from, as a revision of this bundle."""
    fetched = _fetch(repository_of(bundle))
    source = _source(fetched) | ({"token": bundle.source["token"]} if "token" in bundle.source else {})
    return store.replace(somebody, bundle, fetched.files, message=_message(fetched), source=source)


def demand_fetch(tenant_id: UUID) -> None:
    """429 when a tenant has too much fetched: a hostile server may keep each fetch for its whole minute."""
    demand(f"git:{tenant_id}", FETCHES_A_MINUTE, 60)


def repository_of(bundle: Bundle) -> Repository:
    if "git" not in bundle.source:
        raise ApiError(409, "This bundle was not imported from Git.")
    return Repository(bundle.source["git"], bundle.source.get("branch"), _token(bundle))


def token_name(bundle: Bundle) -> str:
    """The dot keeps it out of reach of `secrets:` in a bundle.yaml, where names have none."""
    return f"git.{bundle.pk}"


def _token(bundle: Bundle) -> str | None:
    name = bundle.source.get("token")
    found = secrets.bound(bundle.tenant_id, [name]).get(name) if name else None
    if found is None:
        return None
    if not found.may_go(_host(bundle.source["git"])):
        raise ApiError(409, "The kept token belongs to another host; import again with a token.")
    return found.value.decode()


def _fetch(repository: Repository) -> GitFetch:
    try:
        return git.fetch(repository.url, repository.branch or None, repository.token or None)
    except GitRefused as refused:
        raise ApiError(422, f"Git import: {refused}") from None
    except ArchiveRefused as refused:
        raise unacceptable(refused) from None


def _source(fetched: GitFetch) -> dict[str, Any]:
    return {"git": fetched.url, "branch": fetched.branch, "commit": fetched.commit}


def _message(fetched: GitFetch) -> str:
    return f"From Git: {fetched.branch} at {fetched.commit[:12]}"


def _keep_token(bundle: Bundle, repository: Repository, fetched: GitFetch) -> None:
    token = repository.token or git.clean_url(repository.url)[1]
    if not token:
        return
    secrets.put(bundle.tenant, token_name(bundle), token.encode(), [_host(fetched.url)])
    Bundle.objects.filter(pk=bundle.pk).update(source=bundle.source | {"token": token_name(bundle)})
    bundle.refresh_from_db()


def _host(url: str) -> str:
    return urlsplit(url).hostname or ""
