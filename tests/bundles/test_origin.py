"""Bundles from Git: import, update, the kept token, jobs of pages, and push webhooks."""

import hashlib
import hmac
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from billing.models import Secret
from bundles import jobs, store, tasks, wake
from bundles.author import Author
from bundles.models import Bundle, Revision
from bundles.origin import Repository as Place
from tests.bundles.gitserver import GitServer, Repository
from tests.bundles.samples import HEAD, SERVICE, shop, wasm
from tests.bundles.test_api_bundles import JSON
from tests.conftest import Person

TREE = {"bundle.yaml": HEAD, "shop": {"shop-service.yaml": SERVICE}, "wasm": {"shop.wasm": wasm()}}
PUSH = json.dumps({"ref": "refs/heads/main", "after": "1" * 40}).encode()


@pytest.fixture
def server(tmp_path: Path, settings: Any) -> Iterator[GitServer]:
    with GitServer(tmp_path / "served") as server:
        settings.EGRESS_ALLOW = [server.place]
        yield server


@pytest.fixture
def origin(server: GitServer, clean_redis: None) -> Repository:
    repository = Repository(server.root / "shop.git")
    repository.commit(TREE)
    return repository


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    tasks: list[tuple[str, ...]] = []
    monkeypatch.setattr(wake, "send", lambda task, *args: tasks.append((task, *args)))
    return tasks


def bring(alice: Person, server: GitServer, **fields: str) -> Any:
    return alice.api.post("/api/bundles/git", {"url": server.url()} | fields, content_type=JSON)


def test_a_repository_is_imported(alice: Person, server: GitServer, origin: Repository) -> None:
    answer = bring(alice, server, name="My shop")
    assert answer.status_code == 201
    body = answer.json()
    assert (body["name"], body["display_name"]) == ("shop", "My shop")
    assert body["source"]["git"] == server.url()
    assert len(body["source"]["commit"]) == 40
    assert "From Git: main at" in Revision.objects.get().message
    assert store.contents_of(Revision.objects.get()) == shop()


def test_an_update_is_a_revision_only_when_something_changed(
    alice: Person, server: GitServer, origin: Repository
) -> None:
    url = f"/api/bundles/{bring(alice, server).json()['id']}/update"
    assert alice.api.post(url).json()["revision"] == 1
    origin.commit(TREE | {"README.md": b"more"})
    assert alice.api.post(url).json()["revision"] == 2


def test_an_update_with_errors_changes_nothing(alice: Person, server: GitServer, origin: Repository) -> None:
    url = f"/api/bundles/{bring(alice, server).json()['id']}/update"
    before = Bundle.objects.get().source
    origin.commit(TREE | {"bundle.yaml": b"name: ["})
    assert alice.api.post(url).status_code == 422
    assert (Bundle.objects.get().revision, Bundle.objects.get().source) == (1, before)


def test_a_token_is_kept_sealed_and_used_again(alice: Person, server: GitServer, origin: Repository) -> None:
    server.token = "s3cret-token"
    refused = bring(alice, server)
    assert refused.status_code == 422
    assert not Bundle.objects.exists()
    answer = bring(alice, server, token="s3cret-token")
    assert answer.status_code == 201
    assert "s3cret" not in answer.content.decode()
    assert "s3cret" not in json.dumps(Bundle.objects.get().source)
    assert b"s3cret" not in bytes(Secret.objects.get().sealed)
    assert alice.api.post(f"/api/bundles/{answer.json()['id']}/update").status_code == 200


def test_a_deleted_bundle_takes_its_token_along(alice: Person, server: GitServer, origin: Repository) -> None:
    bring(alice, server, token="s3cret-token")
    store.delete("test", Bundle.objects.get())
    assert not Secret.objects.exists()


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc",
        "ext::sh -c id",
        "ssh://git@host/x",
        "--upload-pack=x",
        "/etc",
        "http://169.254.169.254/x",
    ],
)
def test_other_addresses_are_refused(alice: Person, url: str, server: GitServer) -> None:
    assert alice.api.post("/api/bundles/git", {"url": url}, content_type=JSON).status_code == 422
    assert not Bundle.objects.exists()


def test_a_bundle_that_is_not_from_git_cannot_be_updated(alice: Person) -> None:
    bundle = store.import_files("test", alice.tenant, shop()).bundle
    assert alice.api.post(f"/api/bundles/{bundle.pk}/update").status_code == 409
    assert alice.api.put(f"/api/bundles/{bundle.pk}/hook", {}, content_type=JSON).status_code == 409


def asked(alice: Person, url: str, token: str | None = None) -> jobs.Job:
    from billing.access import of_key

    return jobs.ask(Author(of_key(alice.key)), Place(url, None, token), name="Mine")


def test_a_job_imports_and_says_so(
    alice: Person, server: GitServer, origin: Repository, sent: list[tuple[str, ...]]
) -> None:
    job = asked(alice, server.url())
    assert sent == [("bundles.git_import", str(alice.tenant.pk), job["id"])]
    tasks.git_import(str(alice.tenant.pk), job["id"])
    done = jobs.get(alice.tenant.pk, job["id"])
    assert done is not None
    assert (done["state"], done["bundle"]) == ("done", str(Bundle.objects.get().pk))
    assert Revision.objects.get().author == f"key:{alice.key.prefix}"
    tasks.git_import(str(alice.tenant.pk), job["id"])
    assert Revision.objects.count() == 1


def test_a_failed_job_tells_its_problems(
    alice: Person, server: GitServer, origin: Repository, sent: list[tuple[str, ...]]
) -> None:
    origin.commit(TREE | {"bundle.yaml": b"name: ["})
    job = asked(alice, server.url())
    tasks.git_import(str(alice.tenant.pk), job["id"])
    done = jobs.get(alice.tenant.pk, job["id"])
    assert done is not None
    assert (done["state"], done["errors"][0]["file"]) == ("failed", "bundle.yaml")
    assert not Bundle.objects.exists()


def test_a_job_holds_its_token_sealed_and_is_its_tenants_own(
    alice: Person, charlie: Person, clean_redis: None, sent: list[tuple[str, ...]]
) -> None:
    from billing.redis import redis

    job = asked(alice, "https://example.org/x.git", "s3cret-token")
    assert all(b"s3cret" not in redis().get(key) for key in redis().keys("*import*"))
    assert jobs.get(charlie.tenant.pk, job["id"]) is None


def hooked(alice: Person, server: GitServer, *, deploy: bool = False) -> tuple[str, str]:
    bundle = bring(alice, server).json()["id"]
    made = alice.api.put(f"/api/bundles/{bundle}/hook", {"deploy": deploy}, content_type=JSON).json()
    assert made["url"].endswith(f"/webhooks/git/{bundle}")
    return f"/webhooks/git/{bundle}", made["secret"]


def push(url: str, secret: str, body: bytes = PUSH, **headers: str) -> Any:
    signature = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    headers = {"X-Hub-Signature-256": signature, "X-GitHub-Event": "push"} | headers
    return Client(enforce_csrf_checks=True).post(url, body, content_type=JSON, headers=headers)


def test_a_signed_push_is_imported_once(
    alice: Person, server: GitServer, origin: Repository, sent: list[tuple[str, ...]]
) -> None:
    url, secret = hooked(alice, server)
    sent.clear()
    assert push(url, secret).json() == {"status": "queued"}
    assert push(url, secret).json() == {"status": "repeated"}
    assert sent == [("bundles.pushed", url.rsplit("/", 1)[1])]
    origin.commit(TREE | {"a.txt": b"new"})
    tasks.pushed(url.rsplit("/", 1)[1])
    bundle = Bundle.objects.get()
    assert (bundle.revision, bundle.status) == (2, "stopped")
    assert bundle.revisions.get(number=2).author == "push webhook"


def test_a_push_that_failed_may_be_delivered_again(
    alice: Person, server: GitServer, origin: Repository, sent: list[tuple[str, ...]]
) -> None:
    url, secret = hooked(alice, server)
    origin.commit(TREE | {"bundle.yaml": b"name: ["})
    push(url, secret)
    tasks.pushed(url.rsplit("/", 1)[1])
    assert "Push not imported" in Bundle.objects.get().status_note
    assert Bundle.objects.get().revision == 1
    assert push(url, secret).json() == {"status": "queued"}


def test_gitlab_shows_the_token_itself(
    alice: Person, server: GitServer, origin: Repository, sent: list[tuple[str, ...]]
) -> None:
    url, secret = hooked(alice, server)
    headers = {"X-Gitlab-Token": secret, "X-Gitlab-Event": "Push Hook"}
    assert Client().post(url, PUSH, content_type=JSON, headers=headers).status_code == 202
    headers["X-Gitlab-Token"] = secret[:-1]
    assert Client().post(url, PUSH, content_type=JSON, headers=headers).status_code == 401


def test_wrong_signatures_are_refused_and_nothing_is_queued(
    alice: Person, server: GitServer, origin: Repository, sent: list[tuple[str, ...]]
) -> None:
    url, secret = hooked(alice, server)
    sent.clear()
    assert push(url, "wrong").status_code == 401
    assert Client().post(url, PUSH, content_type=JSON).status_code == 401
    assert push(url, secret, **{"X-Hub-Signature-256": "sha256=é"}).status_code == 401
    assert push("/webhooks/git/00000000-0000-0000-0000-000000000000", secret).status_code == 401
    assert alice.client.post(url, PUSH, content_type=JSON).status_code == 401
    assert sent == []


def test_other_events_and_branches_are_ignored(
    alice: Person, server: GitServer, origin: Repository, sent: list[tuple[str, ...]]
) -> None:
    url, secret = hooked(alice, server)
    sent.clear()
    assert push(url, secret, **{"X-GitHub-Event": "ping"}).json() == {"status": "ignored"}
    assert push(url, secret, b'{"ref": "refs/heads/other"}').json() == {"status": "ignored"}
    assert push(url, secret, b"not json").status_code == 422
    assert sent == []


def test_a_removed_hook_is_shut(alice: Person, server: GitServer, origin: Repository) -> None:
    url, secret = hooked(alice, server)
    assert alice.api.delete(f"/api/bundles/{Bundle.objects.get().pk}/hook").status_code == 204
    assert push(url, secret).status_code == 401


def test_a_push_deploys_only_when_asked_and_when_something_is_new(
    alice: Person, server: GitServer, origin: Repository
) -> None:
    url, _ = hooked(alice, server, deploy=True)
    bundle_id = url.rsplit("/", 1)[1]
    tasks.pushed(bundle_id)
    assert Bundle.objects.get().status == "stopped"
    origin.commit(TREE | {"a.txt": b"new"})
    tasks.pushed(bundle_id)
    assert Bundle.objects.get().status == "starting"


def test_the_place_of_a_hook_secret_is_its_bundle(
    alice: Person, server: GitServer, origin: Repository
) -> None:
    _, secret = hooked(alice, server)
    first = Bundle.objects.get()
    other = store.import_files(
        "test", alice.tenant, shop() | {"bundle.yaml": HEAD.replace(b"name: shop", b"name: b")}
    )
    Bundle.objects.filter(pk=other.bundle.pk).update(hook_secret=first.hook_secret)
    assert push(f"/webhooks/git/{other.bundle.pk}", secret).status_code == 401
