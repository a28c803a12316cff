"""Bundles from Git, fetched from a real smart-http server (ATTACKS A017–A029)."""

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bundles.filenames import ArchiveRefused, Limits
from bundles.git import GitFetch, GitLimits, GitRefused, clean_url, fetch
from tests.bundles.gitserver import GitServer, Repository

SHOP = {
    "bundle.yaml": b"name: shop\n",
    "wasm": {"catalog.wasm": b"\0asm\r\n"},
    ".gitattributes": b"* filter=evil\n",
}
READ = {
    "bundle.yaml": b"name: shop\n",
    "wasm/catalog.wasm": b"\0asm\r\n",
    ".gitattributes": b"* filter=evil\n",
}
QUICK = GitLimits(seconds=8)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[GitServer]:
    with GitServer(tmp_path / "served") as server:
        yield server


@pytest.fixture
def shop(server: GitServer) -> Repository:
    return Repository(server.root / "shop.git")


@pytest.fixture(autouse=True)
def nothing_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """After every fetch, good or bad: no temporary file and no process of ours."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    yield
    assert list(temporary.iterdir()) == []
    assert not processes_below(temporary)


def processes_below(folder: Path) -> list[str]:
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            found += [process.name] if os.readlink(process / "cwd").startswith(str(folder)) else []
        except OSError:
            continue
    return found


def get(server: GitServer, *args: str | None, limits: GitLimits = QUICK, name: str = "shop.git") -> GitFetch:
    return fetch(server.url(name), *args, limits=limits, allow=[server.place])


def test_the_default_branch_is_fetched(server: GitServer, shop: Repository) -> None:
    commit = shop.commit(SHOP)
    fetched = get(server)
    assert dict(fetched.files) == READ
    assert (fetched.commit, fetched.branch, fetched.url) == (commit, "main", server.url())


def test_head_may_point_to_another_branch(server: GitServer, shop: Repository) -> None:
    shop.commit(SHOP)
    shop.commit({"bundle.yaml": b"name: next\n"}, "next/one")
    shop.git("symbolic-ref", "HEAD", "refs/heads/next/one")
    assert get(server).branch == "next/one"
    assert get(server, "main").files["bundle.yaml"] == b"name: shop\n"


def test_a_repository_of_plain_files_is_read_too_where_the_operator_opened_the_host(
    server: GitServer, shop: Repository
) -> None:
    shop.commit({"bundle.yaml": b"name: old\n"})
    commit = shop.commit(SHOP)
    shop.git("update-server-info")
    with GitServer(server.root) as plain:
        plain.plain_files = True
        fetched = get(plain)
        assert (fetched.commit, fetched.branch, dict(fetched.files)) == (commit, "main", READ)
        with pytest.raises(GitRefused, match="branch 'absent' not found"):
            get(plain, "absent")


def test_only_the_newest_commit_travels(server: GitServer, shop: Repository) -> None:
    old = shop.blob(os.urandom(300_000))
    tree = shop.git("mktree", stdin=f"100644 blob {old}\tbundle.yaml\n".encode())
    first = shop.git("commit-tree", "-m", "old", tree)
    second = shop.git("commit-tree", "-p", first, "-m", "new", shop.tree(SHOP))
    shop.git("update-ref", "refs/heads/main", second)
    assert get(server, limits=GitLimits(seconds=8, packed=100_000)).commit == second


def test_a_bundle_one_folder_deep_is_found(server: GitServer, shop: Repository) -> None:
    shop.commit({"README.md": b"hello", "shop": SHOP})
    assert dict(get(server).files) == READ


def test_an_absent_branch_is_named_with_those_that_exist(server: GitServer, shop: Repository) -> None:
    shop.commit(SHOP)
    shop.commit(SHOP, "stable")
    with pytest.raises(GitRefused, match="branch 'nope' not found; branches: main, stable"):
        get(server, "nope")


def test_an_absent_repository_is_said_so(server: GitServer) -> None:
    with pytest.raises(GitRefused, match="repository not found"):
        get(server, name="absent.git")


def test_an_empty_repository_is_said_so(server: GitServer, shop: Repository) -> None:
    with pytest.raises(GitRefused, match="no branches"):
        get(server)


def test_a_server_that_is_down_is_said_so(server: GitServer) -> None:
    with pytest.raises(GitRefused, match="cannot be reached"):
        fetch("http://127.0.0.1:1/shop.git", allow=["127.0.0.1:1"], limits=QUICK)


@pytest.mark.parametrize("token", ["s3cret-token", "alice:s3cret-token"])
def test_a_private_repository_opens_to_its_token(server: GitServer, shop: Repository, token: str) -> None:
    shop.commit(SHOP)
    server.token = "s3cret-token"
    assert dict(get(server, None, token).files) == READ
    assert all(authorization for _, authorization in server.requests)


def test_a_private_repository_without_token_fails_fast(server, shop, tmp_path, monkeypatch) -> None:
    marker = tmp_path / "asked"
    askpass = tmp_path / "askpass"
    askpass.write_text(f"#!/bin/sh\ntouch {marker}\n")
    askpass.chmod(0o755)
    monkeypatch.setenv("GIT_ASKPASS", str(askpass))
    monkeypatch.setenv("SSH_ASKPASS", str(askpass))
    shop.commit(SHOP)
    server.token = "s3cret-token"
    started = time.monotonic()
    with pytest.raises(GitRefused, match="asks for a login"):
        get(server)
    assert time.monotonic() - started < 4
    assert not marker.exists()


def test_a_wrong_token_is_not_repeated_in_the_error(server: GitServer, shop: Repository) -> None:
    shop.commit(SHOP)
    server.token = "s3cret-token"
    with pytest.raises(GitRefused, match="token was not accepted") as refused:
        get(server, None, "wr0ng-token")
    assert "wr0ng" not in str(refused.value)


def test_credentials_in_the_url_become_a_token(server: GitServer, shop: Repository) -> None:
    shop.commit(SHOP)
    server.token = "s3cret@token"
    url = server.url().replace("http://", "http://alice:s3cret%40token@")
    fetched = fetch(url, allow=[server.place], limits=QUICK)
    assert fetched.url == server.url()
    assert clean_url(url) == (server.url(), "alice:s3cret@token")


def test_the_token_is_on_no_command_line(server: GitServer, shop: Repository, tmp_path, monkeypatch) -> None:
    log, real = tmp_path / "argv", shutil.which("git")
    wrapper = tmp_path / "bin" / "git"
    wrapper.parent.mkdir()
    wrapper.write_text(f'#!/bin/sh\necho "$0 $@" >> {log}\nexec {real} "$@"\n')
    wrapper.chmod(0o755)
    shop.commit(SHOP)
    server.token = "s3cret-token"
    monkeypatch.setenv("PATH", f"{wrapper.parent}:{os.environ['PATH']}")
    get(server, None, "s3cret-token")
    assert "fetch" in log.read_text()
    assert "s3cret" not in log.read_text()


@pytest.mark.parametrize("token", ["a b", "a\r\nX-Injected: 1", "é", "\0"])
def test_a_token_cannot_carry_a_header(server: GitServer, token: str) -> None:
    with pytest.raises(GitRefused, match="token"):
        get(server, None, token)
    assert server.requests == []


def test_a_token_in_the_field_and_in_the_url_is_refused(server: GitServer) -> None:
    with pytest.raises(GitRefused, match="not in both"):
        fetch("https://one@example.com/shop.git", None, "two")


@pytest.mark.parametrize(
    "url",
    [
        "ext::sh -c 'touch PWN'", "--upload-pack=touch PWN", "-u", "file:///etc", "/etc", "../shop.git", "",
        "ssh://git@github.com/a/b", "git://github.com/a/b", "git@github.com:a/b.git", "host:path",
        "ssh://-oProxyCommand=touch%20PWN/x", "ftp://example.com/a", "https::http://example.com/", "fd::17",
        "http://example.com/a.git", "https://example.com/a?x=y", "https://example.com/a#b",
        "https://example.com:22/a", "https://exa mple.com/a", "https://example.com/a\nb",
        "https://example.com\\a",
    ],
)  # fmt: skip
def test_other_ways_to_name_a_repository_are_refused(url: str, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", "")  # git could not even start
    with pytest.raises(GitRefused) as refused:
        fetch(url, allow=(), resolve=lambda host, port: ("93.184.215.14",), limits=QUICK)
    assert "started" not in refused.value.reason
    assert not list(tmp_path.rglob("PWN"))


@pytest.mark.parametrize(
    "branch",
    [
        "-h", "--upload-pack=touch PWN", "--output=x", "", "a..b", "a b", "a\nb", "a:b", "a~1", "a^",
        "@{u}", "a*",
        "/a", "a/", "a.lock", "a.lock/b", ".a", "a/.b", "a//b", "a\\b", "a[b", "a?", "a\0", "x" * 300, "a.",
    ],
)  # fmt: skip
def test_what_is_not_a_branch_name_is_refused(server: GitServer, branch: str) -> None:
    with pytest.raises(GitRefused, match="name of a branch"):
        get(server, branch)
    assert server.requests == []


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.1", "[::1]", "2130706433"])
def test_a_repository_inside_the_network_is_refused(server: GitServer, shop: Repository, host: str) -> None:
    shop.commit(SHOP)
    with pytest.raises(GitRefused):
        fetch(server.url(host=host), allow=[f"*:{server.port}"], limits=QUICK)
    for url in ("https://169.254.169.254/latest", f"https://{host}/shop.git"):
        with pytest.raises(GitRefused, match=r"not allowed|oddly"):
            fetch(url, allow=(), limits=QUICK)
    assert server.requests == []


def test_git_connects_to_the_vetted_address_and_resolves_nothing(server: GitServer, shop: Repository) -> None:
    shop.commit(SHOP)
    asked = []

    def resolve(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"]

    url = server.url(host="git.invalid")
    fetched = fetch(url, allow=[f"git.invalid:{server.port}"], resolve=resolve, limits=QUICK)
    assert dict(fetched.files) == READ
    assert asked == ["git.invalid"]


def test_a_redirect_is_not_followed(server: GitServer, shop: Repository, tmp_path: Path) -> None:
    shop.commit(SHOP)
    with GitServer(server.root) as other:
        server.redirect = f"http://{other.place}"
        with pytest.raises(GitRefused, match="another address"):
            get(server, None, "s3cret-token")
        assert other.requests == []


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({"wasm": {"catalog.wasm": ("120000", "/etc/passwd")}}, "symbolic links"),
        ({"wasm": ("120000", "/etc")}, "symbolic links"),
        ({"module": ("160000", "1" * 40)}, "submodules"),
        ({".gitmodules": b'[submodule "../x"]\n\tpath = x\n\turl = https://a/b\n'}, "forbidden objects"),
        ({".gitmodules": b'[submodule "x"]\n\tpath = x\n\turl = --upload-pack=id\n'}, "forbidden objects"),
        ({"Case.txt": b"", "case.txt": b""}, "case"),
        ({"Dir": {"a": b""}, "dir": {"b": b""}}, "case"),
        ({".git": {"config": b""}}, "forbidden objects"),
        ({"GIT~1": b""}, "forbidden objects"),
        ({".g\u200cit": b""}, "forbidden objects"),
        ({"..": {"evil": b""}}, "forbidden objects"),
        ({"line\nbreak": b""}, "control"),
        ({"esc\x1b[31m": b""}, "control"),
        ({"rtl\u202egnp": b""}, "invisible"),
        ({"back\\slash": b""}, "backslash"),
        ({"NUL": b""}, "reserved"),
        ({"big.bin": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n"}, "LFS"),
        ({"shop": {"bundle.yaml": b""}}, "more than one bundle.yaml"),
    ],
)
def test_a_repository_that_is_no_plain_bundle_is_refused(server, shop, files, reason: str) -> None:
    shop.commit({**SHOP, **files})
    with pytest.raises(ArchiveRefused, match=reason) as refused:
        get(server)
    assert refused.value.entry.isprintable()


def test_a_repository_without_bundle_is_refused(server: GitServer, shop: Repository) -> None:
    shop.commit({"README.md": b"", "a": {"b": {"bundle.yaml": b""}}})
    with pytest.raises(ArchiveRefused, match=r"no bundle\.yaml"):
        get(server)


def test_nothing_of_the_servers_own_git_settings_is_used(server, shop, tmp_path, monkeypatch) -> None:
    """Templates with hooks, a global configuration, a proxy, .netrc, tracing: each would leave a mark."""
    marker, home = tmp_path / "marked", tmp_path / "home"
    hooks = tmp_path / "template" / "hooks"
    hooks.mkdir(parents=True)
    home.mkdir()
    hook = hooks / "reference-transaction"
    hook.write_text(f"#!/bin/sh\ntouch {marker}\n")
    hook.chmod(0o755)
    (home / ".gitconfig").write_text(
        f'[url "http://127.0.0.1:1/"]\n\tinsteadOf = http://\n[core]\n\thooksPath = {hooks}\n'
    )
    (home / ".netrc").write_text("machine 127.0.0.1 login canary password canary\n")
    shop.commit(SHOP)
    for name, value in {
        "HOME": str(home), "GIT_TEMPLATE_DIR": str(hooks.parent), "http_proxy": "http://127.0.0.1:1",
        "ALL_PROXY": "http://127.0.0.1:1", "GIT_TRACE_CURL": str(marker),
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    assert dict(get(server).files) == READ
    assert not marker.exists()
    assert all(authorization is None for _, authorization in server.requests)


def test_a_repository_beyond_the_download_limit_is_refused(server: GitServer, shop: Repository) -> None:
    shop.commit({**SHOP, "noise.bin": os.urandom(600_000)})
    with pytest.raises(GitRefused, match="too large"):
        get(server, limits=GitLimits(seconds=8, packed=100_000))


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        (Limits(entries=3), "more than 3 files"),
        (Limits(single=5_000), "larger than 5000"),
        (Limits(total=8_000), "together"),
    ],
)
def test_files_beyond_a_limit_are_refused(server, shop, limits: Limits, reason: str) -> None:
    shop.commit({**SHOP, "zeros.bin": bytes(9_000)})
    with pytest.raises(ArchiveRefused, match=reason):
        get(server, limits=GitLimits(seconds=8, files=limits))


def test_a_tree_that_unfolds_without_end_is_stopped(server: GitServer, shop: Repository) -> None:
    tree = shop.tree({"x": b"x"})
    for _ in range(9):
        lines = "".join(f"040000 tree {tree}\t{number}\n" for number in range(10))
        tree = shop.git("mktree", stdin=lines.encode())
    shop.git("update-ref", "refs/heads/main", shop.git("commit-tree", "-m", "bomb", tree))
    started = time.monotonic()
    with pytest.raises(GitRefused, match="too large"):
        get(server)
    assert time.monotonic() - started < 6


def test_an_endless_server_is_left(server: GitServer) -> None:
    server.trickle = True
    started = time.monotonic()
    with pytest.raises(GitRefused, match=r"within 1\.5 seconds"):
        get(server, limits=GitLimits(seconds=1.5))
    assert time.monotonic() - started < 4


def test_a_server_without_git_says_so(server: GitServer, monkeypatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(GitRefused, match="git"):
        get(server)
    assert server.requests == []
