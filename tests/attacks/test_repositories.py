"""Every door that fetches a repository, under every attack on the way out and on git (A001–A029).

The doors: REST, the page with its job, the command line, Update by REST and by page, and the push webhook.
"""

import hashlib
import hmac
import logging
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from billing import secrets
from bundles import jobs, origin, store, tasks, wake
from bundles.models import Bundle, Revision
from tests.attacks import door
from tests.attacks.outgoing import NameServer, table
from tests.billing.listener import Listener, reply
from tests.bundles.gitserver import GitServer, Repository
from tests.bundles.samples import HEAD, SERVICE, shop, wasm
from tests.conftest import Person

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_redis")]
J = "application/json"
TREE = {"bundle.yaml": HEAD, "shop": {"shop-service.yaml": SERVICE}, "wasm": {"shop.wasm": wasm()}}
# None of these may start git at all.
WRITTEN = {
    "A017": ["ext::sh -c 'touch PWN'", "ext::sh -c touch%20PWN", "fd::17", "https::http://example.org/"],
    "A018": ["--upload-pack=touch PWN", "-u", "--output=x", "-oProxyCommand=touch PWN"],
    "A019": [
        "file:///etc", "/etc", "../shop.git", "ssh://git@example.org/a", "git://example.org/a", "git@example.org:a.git",
        "host:path", "http://example.org/a.git", "ftp://example.org/a.git",
    ],
    "A020": ["ssh://-oProxyCommand=touch%20PWN/x", "ssh://git@-oProxyCommand=touch%20PWN/x"],
}  # fmt: skip
BRANCHES = [
    "-h",
    "--upload-pack=touch PWN",
    "--output=x",
    "a..b",
    "a\nb",
    "refs/heads/\u202egnp",
    "a:b",
    "@{u}",
    "a.lock",
]


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> NameServer:
    return NameServer(monkeypatch)


@pytest.fixture
def inside(settings: Any) -> Iterator[Listener]:
    with Listener(reply()) as listener:
        settings.EGRESS_ALLOW = [f"*:{listener.port}"]
        yield listener
        assert listener.connections == 0


@pytest.fixture
def queue(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """Tasks as they were sent; a test runs them when it wants."""
    sent: list[tuple[str, ...]] = []
    monkeypatch.setattr(wake, "send", lambda task, *args: sent.append((task, *args)))
    return sent


@pytest.fixture
def server(tmp_path: Path, settings: Any) -> Iterator[GitServer]:
    with GitServer(tmp_path / "served") as server:
        settings.EGRESS_ALLOW = [server.place]
        yield server


@pytest.fixture
def repository(server: GitServer) -> Repository:
    made = Repository(server.root / "shop.git")
    made.commit(TREE)
    return made


Told = tuple[bool, str]  # whether it was refused, and in which words


def by_rest(alice: Person, url: str, branch: str | None = None) -> Told:
    answer = alice.api.post("/api/bundles/git", {"url": url, "branch": branch}, content_type=J)
    return answer.status_code == 422, answer.content.decode()


def by_page(alice: Person, url: str, branch: str | None = None) -> Told:
    """What the page cannot refuse at once, its job does."""
    sent: list[tuple[str, ...]] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(wake, "send", lambda task, *args: sent.append(args))
        page = alice.client.post("/bundles/import/git", {"url": url, "branch": branch or ""})
    for tenant, job in sent:
        tasks.git_import(tenant, job)
        found = jobs.get(tenant, job)
        assert found is not None
        return found["state"] == "failed", found["text"]
    return page.status_code == 422, page.content.decode()


def by_command(alice: Person, url: str, branch: str | None = None) -> Told:
    """Without "://" it is a path of the operator's machine, which is not there."""
    out = StringIO()
    try:
        call_command(
            "import", "--tenant=alice", *([f"--branch={branch}"] if branch else []), "--", url, stdout=out
        )
    except CommandError as refused:
        return True, str(refused)
    return False, out.getvalue()


IMPORTS: dict[str, Callable[..., Told]] = {"rest": by_rest, "page": by_page, "command": by_command}


@pytest.mark.parametrize("way", IMPORTS)
def test_no_import_reaches_what_it_must_not(
    alice: Person,
    names: NameServer,
    inside: Listener,
    way: str,
    tmp_path: Path,
    monkeypatch: Any,
    caplog: Any,
) -> None:
    """A001–A006, A009–A011, A013, A017–A020, before git is started."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(origin, "FETCHES_A_MINUTE", 1000)
    caplog.set_level(logging.WARNING)
    before = door.counts()
    written = {f"{attack} {url}": url for attack, urls in WRITTEN.items() for url in urls}
    some = {
        attack[:4]: (attack, url) for attack, url in table(inside.port).items()
    }  # one of each: all read alike
    everything = written | (table(inside.port) if way == "rest" else dict(some.values()))
    if way == "command":
        del everything["A019 /etc"]  # a folder of the operator's own machine
    told = {attack: IMPORTS[way](alice, url) for attack, url in everything.items()}
    assert {
        attack: words for attack, (refused, words) in told.items() if not refused or "started" in words
    } == {}
    assert door.counts() == before
    assert not list(tmp_path.iterdir())
    assert "egress refused: destination not allowed" in caplog.text


@pytest.mark.parametrize("way", IMPORTS)
def test_no_branch_is_an_option(alice: Person, server: GitServer, way: str) -> None:
    """A018."""
    before = door.counts()
    told = {branch: IMPORTS[way](alice, server.url(), branch) for branch in BRANCHES}
    assert {branch: words for branch, (refused, words) in told.items() if not refused} == {}
    assert server.requests == []
    assert door.counts() == before


# -- what is known already: Update, and pushes ------------------------------------------------------


@pytest.fixture
def bundle(alice: Person, server: GitServer, repository: Repository) -> Bundle:
    """As an import with a token leaves it."""
    source = {"git": server.url(), "branch": "main", "commit": "1" * 40}
    made = store.import_files("test", alice.tenant, shop(), source=source).bundle
    secrets.put(alice.tenant, origin.token_name(made), b"s3cret-token", ["127.0.0.1"])
    Bundle.objects.update(source=source | {"token": origin.token_name(made)})
    made.refresh_from_db()
    return made


def again_by_rest(alice: Person, bundle: Bundle) -> Told:
    answer = alice.api.post(f"/api/bundles/{bundle.pk}/update")
    return answer.status_code == 422, answer.content.decode()


def again_by_page(alice: Person, bundle: Bundle) -> Told:
    answer = alice.client.post(f"/bundles/{bundle.pk}/settings/update")
    return answer.status_code == 422, answer.content.decode()


def again_by_push(alice: Person, bundle: Bundle) -> Told:
    tasks.pushed(str(bundle.pk))
    note = Bundle.objects.get(pk=bundle.pk).status_note
    Bundle.objects.filter(pk=bundle.pk).update(status_note="")
    return note.startswith("Push not imported"), note


AGAIN = {"rest": again_by_rest, "page": again_by_page, "push": again_by_push}


def state() -> Any:
    return door.counts(), list(Bundle.objects.values("revision", "source", "name", "status", "live_revision"))


def test_an_address_that_has_become_a_private_one_is_not_fetched_again(
    alice: Person, server: GitServer, bundle: Bundle, settings: Any, names: NameServer
) -> None:
    """A006, A007, A021: what was allowed at the import is judged anew each time."""
    before = state()
    settings.EGRESS_ALLOW = [f"*:{server.port}"]
    Bundle.objects.update(source=bundle.source | {"git": server.url(host="rebound.example"), "token": None})
    names.turns["rebound.example"] = [["127.0.0.1"]]
    for way, again in AGAIN.items():
        refused, words = again(alice, bundle)
        assert refused, way
        assert "not allowed" in words, way
    assert server.requests == []
    assert Revision.objects.count() == 1
    assert door.counts() == before[0]


def test_a_redirect_takes_neither_us_nor_the_token_along(
    alice: Person, server: GitServer, bundle: Bundle
) -> None:
    """A008, A021, A022."""
    before = state()
    with GitServer(server.root) as thief:
        server.redirect = f"http://{thief.place}"
        for way, again in AGAIN.items():
            assert again(alice, bundle)[0], way
        assert len(server.requests) >= 1
        assert thief.requests == []
    assert state() == before


HOSTILE: dict[str, dict[str, Any]] = {
    "A023 submodule": {"module": ("160000", "1" * 40)},
    "A023 .gitmodules": {".gitmodules": b'[submodule "../x"]\n\tpath = x\n\turl = https://a/b\n'},
    "A024 link": {"wasm": {"shop.wasm": ("120000", "/etc/passwd")}},
    "A024 folder": {"shop": ("120000", "/etc")},
    "A025 hook": {".git": {"hooks": {"post-checkout": b"touch PWN"}}},
    "A025 LFS": {"wasm": {"shop.wasm": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n"}},
    "A027 case": {"Case.txt": b"", "case.txt": b""},
    "A027 look-alike": {"GIT~1": b""},
    "A036 name": {"esc\x1b[31m": b""},
    "A060 no module": {"wasm": {"shop.wasm": b"\x7fELF" + bytes(40)}},
    "A042 merge keys": {"bundle.yaml": b"name: shop\na: &a {x: 1}\nb: {<<: *a}\n"},
    "A035 two heads": {"more": {"bundle.yaml": HEAD}},
}


@pytest.mark.parametrize("attack", HOSTILE)
def test_a_repository_that_has_turned_hostile_changes_nothing(
    alice: Person, repository: Repository, bundle: Bundle, attack: str
) -> None:
    """By one of the three doors of what is known, in turn: all end in bundles/origin.py."""
    before = state(), door.files()
    repository.commit({**TREE, **HOSTILE[attack]})
    refused, words = list(AGAIN.values())[len(attack) % 3](alice, bundle)
    assert refused, words
    assert "\x1b" not in words
    assert (state(), door.files()) == before


def test_a_push_that_takes_the_name_of_another_bundle_changes_neither(
    alice: Person, repository: Repository, bundle: Bundle
) -> None:
    other = store.import_files(
        "test", alice.tenant, shop() | {"bundle.yaml": HEAD.replace(b"name: shop", b"name: other")}
    )
    before = state()
    repository.commit({**TREE, "bundle.yaml": HEAD.replace(b"name: shop", b"name: other")})
    assert again_by_push(alice, bundle)[0]
    assert state() == before
    assert store.newest(other.bundle).number == 1


# -- the webhook ------------------------------------------------------------------------------------

BODIES = {
    "no JSON": (b"not json", 422), "deep": (b"[" * 100_000, 422), "long number": (b'{"ref": ' + b"9" * 5000 + b"}", 422),
    "not UTF-8": (b'{"ref": "\xff"}', 422), "a ref that is none": (b'{"ref": ["refs/heads/main"]}', 202),
    "an option": (b'{"ref": "refs/heads/--upload-pack=x"}', 202), "a list": (b"[]", 202),
}  # fmt: skip


@pytest.mark.parametrize("case", BODIES)
def test_what_a_push_says_is_data(
    alice: Person, bundle: Bundle, queue: list[tuple[str, ...]], case: str
) -> None:
    """A132: never a 5xx; branch, address and bundle are ours to know, not the sender's to say."""
    body, status = BODIES[case]
    answer = push(alice, bundle, body)
    assert answer.status_code == status, answer.content
    assert queue in ([], [("bundles.pushed", str(bundle.pk))])
    assert Bundle.objects.get().source["branch"] == "main"


def test_pushes_and_updates_share_the_limit_of_imports(
    alice: Person, bundle: Bundle, queue: list[tuple[str, ...]], monkeypatch: Any
) -> None:
    """A026, A134: a minute of a hostile server is not to be had without end."""
    monkeypatch.setattr(origin, "FETCHES_A_MINUTE", 4)
    before = Bundle.objects.get().revision
    answers = [push(alice, bundle, b'{"n": %d}' % n).status_code for n in range(5)]
    assert answers == [202, 202, 202, 202, 429]
    assert len(queue) == 4
    assert alice.client.post(f"/bundles/{bundle.pk}/settings/update").status_code == 429
    assert alice.api.post(f"/api/bundles/{bundle.pk}/update").status_code == 429
    assert Bundle.objects.get().revision == before


def push(alice: Person, bundle: Bundle, body: bytes) -> Any:
    from bundles import hooks

    bundle.refresh_from_db()
    if bundle.hook_secret is None:
        SECRET[bundle.pk] = hooks.make("test", bundle, deploy=False)
    signature = "sha256=" + hmac.new(SECRET[bundle.pk].encode(), body, hashlib.sha256).hexdigest()
    headers = {"X-Hub-Signature-256": signature, "X-GitHub-Event": "push"}
    return Client().post(f"/webhooks/git/{bundle.pk}", body, content_type=J, headers=headers)


SECRET: dict[Any, str] = {}
