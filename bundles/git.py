"""A bundle out of a Git repository over https: one branch, its newest commit, read without a checkout."""

import logging
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from billing.destination import Destination, EgressRefused, Resolver, vet
from bundles.filenames import Limits, check_files, check_names, find_root, is_litter, shown
from bundles.gitrun import Git, GitFailed, GitLimits, GitRefused

__all__ = ["GitFetch", "GitLimits", "GitRefused", "clean_url", "fetch"]

log = logging.getLogger("priostack.egress")

HERE = "refs/heads/import"
BRANCHES_SHOWN = 20
DEFAULTS = GitLimits()

_BRANCH = re.compile(r"[^\x00-\x20\x7f~^:?*\[\\./-][^\x00-\x20\x7f~^:?*\[\\]{0,199}\Z")
_NOT_IN_BRANCH = re.compile(r"\.\.|//|@\{|/\.|\.lock(?:/|\Z)|[/.]\Z")
_TREE_LINE = re.compile(rb"([0-7]{6}) ([a-z]+) ([0-9a-f]{40,64}) +([0-9]+|-)\t(.+)\Z", re.DOTALL)
_LFS = b"version https://git-lfs.github.com/spec/"
_LOGIN = re.compile(
    r"could not read (?:Username|Password)|Authentication failed|error: 40[13]|terminal prompts"
)
_MISSING = re.compile(r"not found|error: 404")
_REDIRECT = re.compile(r"error: 30[0-9]|redirect")
# index-pack dies without a word when its file reaches the limit.
_TOO_LARGE = re.compile(r"signal 25|File too large|invalid index-pack output")
_TOO_HARD = re.compile(r"signal (?:9|24)|[Oo]ut of memory|malloc failed|mmap failed")
_OBJECTS = re.compile(r"fsck error|invalid object|bad tree|(?:pack|object).*corrupt")
_UNREACHABLE = re.compile(
    r"Could not resolve|Failed to connect|Connection (?:refused|timed out|reset)|timed? ?out"
)
_DUMB = re.compile(r"dumb http transport")
_CERTIFICATE = re.compile(r"certificate|SSL", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class GitFetch:
    """The files of the bundle at one commit; `url` carries no credentials and may be stored."""

    files: Mapping[str, bytes]
    commit: str
    branch: str
    url: str


@dataclass(frozen=True, slots=True)
class _Blob:
    path: str
    sha: str
    size: int


def fetch(
    url: str,
    branch: str | None = None,
    token: str | None = None,
    *,
    limits: GitLimits = DEFAULTS,
    allow: Iterable[str] | None = None,
    resolve: Resolver | None = None,
) -> GitFetch:
    """The bundle at the tip of `branch`, or of the default one; ArchiveRefused with a reason to be shown."""
    url, token = _credentials(url, token)
    if branch is not None:
        check_branch(branch)
    place = _vetted(url, allow, resolve)
    try:
        with Git(place, token, limits) as git:
            return _fetch(git, branch)
    except GitFailed as failure:
        raise GitRefused(_explain(failure.text, with_token=token is not None)) from None


def clean_url(url: str) -> tuple[str, str | None]:
    """The URL without the user name and password written into it, and those as a token ("user:password").

    Only the first may be stored, shown or logged.
    """
    scheme, separator, rest = url.partition("://")
    authority = re.split(r"[/?#\\]", rest, maxsplit=1)[0]
    if not separator or "@" not in authority:
        return url, None
    userinfo, _, host = authority.rpartition("@")
    user, _, password = userinfo.partition(":")
    token = f"{unquote(user)}:{unquote(password)}" if password else unquote(user)
    return f"{scheme}://{host}{rest.removeprefix(authority)}", token or None


def check_branch(branch: str) -> None:
    if not _BRANCH.match(branch) or _NOT_IN_BRANCH.search(branch) or shown(branch) != branch:
        raise GitRefused("this is not the name of a branch")


def _credentials(url: str, token: str | None) -> tuple[str, str | None]:
    url, written = clean_url(url.strip())
    if written and token:
        raise GitRefused("give the token either in its field or in the URL, not in both")
    token = token or written
    if token and not re.fullmatch(r"[\x21-\x7e]{1,2000}", token):
        raise GitRefused("the token contains a character that no token has")
    return url, token


def _vetted(url: str, allow: Iterable[str] | None, resolve: Resolver | None) -> Destination:
    if not url.lower().startswith(("https://", "http://")):
        raise GitRefused("only repositories at https:// addresses are imported")
    if "?" in url or "#" in url:
        raise GitRefused("the address of a repository has no '?' and no '#'")
    try:
        place = vet(url, allow=allow, resolve=resolve)
    except EgressRefused as refusal:
        log.warning("egress refused: %s", refusal.reason)
        raise GitRefused(refusal.reason) from None
    if place.scheme != "https" and not place.exempt:
        raise GitRefused("only repositories at https:// addresses are imported")
    return place


def _fetch(git: Git, branch: str | None) -> GitFetch:
    branch = _choose(git, branch)
    try:
        _bring(git, branch, "--depth=1")
    except GitFailed as failure:
        # Plain files behind a web server have no newest commit alone. Their download has no bound in all, so this
        # is for hosts that the operator opened.
        if not (git.place.exempt and _DUMB.search(failure.text)):
            raise
        _bring(git, branch)
    commit = git.run("rev-parse", "--verify", "--end-of-options", f"{HERE}^{{commit}}").decode().strip()
    files = _bundle(git, commit)
    return GitFetch(files, commit, branch, git.place.url)


def _bring(git: Git, branch: str, *more: str) -> None:
    options = ("--no-tags", "--no-recurse-submodules", "--no-write-fetch-head", "--quiet", *more)
    git.run("fetch", *options, "--", git.place.url, f"+refs/heads/{branch}:{HERE}")


def _choose(git: Git, branch: str | None) -> str:
    """The branch asked for, or the one that HEAD of the repository points to; it exists."""
    listing = git.run("ls-remote", "--symref", "--", git.place.url, "HEAD", "refs/heads/*").decode(
        "utf-8", "replace"
    )
    lines = [line.partition("\t") for line in listing.splitlines()]
    branches = [ref.removeprefix("refs/heads/") for _, _, ref in lines if ref.startswith("refs/heads/")]
    if not branches:
        raise GitRefused("the repository has no branches yet")
    pointed = (
        left.removeprefix("ref: refs/heads/")
        for left, _, ref in lines
        if ref == "HEAD" and left[:4] == "ref:"
    )
    wanted = branch or next(pointed, branches[0])
    if wanted not in branches:
        raise GitRefused(f"branch '{shown(wanted)}' not found; branches: {_listed(branches)}")
    check_branch(wanted)  # the server's word for its default branch is checked like the user's
    return wanted


def _listed(branches: Sequence[str]) -> str:
    more = ", …" if len(branches) > BRANCHES_SHOWN else ""
    return ", ".join(map(shown, branches[:BRANCHES_SHOWN])) + more


def _bundle(git: Git, commit: str) -> dict[str, bytes]:
    """The files below the folder of bundle.yaml, with every rule checked before a byte of them is read."""
    limits = git.limits.files
    blobs = [blob for blob in _tree(git, commit, limits) if not is_litter(blob.path)]
    check_names((blob.path for blob in blobs), limits)
    root = find_root(blob.path for blob in blobs)
    wanted = [blob for blob in blobs if blob.path.startswith(root)]
    _check_sizes(wanted, limits)
    files = {
        blob.path.removeprefix(root): data for blob, data in zip(wanted, _read(git, wanted), strict=True)
    }
    check_files(files, limits)
    return files


def _tree(git: Git, commit: str, limits: Limits) -> Iterator[_Blob]:
    lines = git.run("ls-tree", "-r", "-z", "-l", "--full-tree", commit).split(b"\0")[:-1]
    if len(lines) > limits.entries:
        raise GitRefused(f"the repository has more than {limits.entries} files")
    for line in lines:
        match = _TREE_LINE.match(line)
        if not match:
            raise GitRefused("the repository holds damaged objects")
        mode, kind, sha, size, raw = match.groups()
        try:
            path = raw.decode()
        except UnicodeDecodeError:
            raise GitRefused("the name is not UTF-8", raw.decode("latin-1")) from None
        _check_kind(mode, kind, path)
        yield _Blob(path, sha.decode(), int(size))


def _check_kind(mode: bytes, kind: bytes, path: str) -> None:
    if mode == b"160000" or kind == b"commit":
        raise GitRefused("submodules are not accepted", path)
    if mode == b"120000":
        raise GitRefused("symbolic links are not accepted", path)
    if kind != b"blob" or not mode.startswith(b"100"):
        raise GitRefused("only ordinary files are accepted", path)


def _check_sizes(blobs: Sequence[_Blob], limits: Limits) -> None:
    for blob in blobs:
        if blob.size > limits.single:
            raise GitRefused(f"larger than {limits.single} bytes", blob.path)
    if sum(blob.size for blob in blobs) > limits.total:
        raise GitRefused(f"all files together are larger than {limits.total} bytes")


def _read(git: Git, blobs: Sequence[_Blob]) -> Iterator[bytes]:
    """The contents, in order, out of one `cat-file --batch`."""
    asked = "".join(f"{blob.sha}\n" for blob in blobs).encode()
    most = sum(blob.size + 100 for blob in blobs)
    output, position = git.run("cat-file", "--batch", stdin=asked, most=most), 0
    for blob in blobs:
        head = f"{blob.sha} blob {blob.size}\n".encode()
        if not output.startswith(head, position):
            raise GitRefused("the repository holds damaged objects", blob.path)
        start = position + len(head)
        data = output[start : start + blob.size]
        if data.startswith(_LFS):
            raise GitRefused("kept in Git LFS, which is not fetched; commit the file itself", blob.path)
        position = start + blob.size + 1
        yield data


def _explain(text: str, *, with_token: bool) -> str:
    """What git said, in words for the person who gave the address."""
    login = (
        "the token was not accepted"
        if with_token
        else "the repository asks for a login; give an access token"
    )
    for pattern, reason in (
        (_LOGIN, "the token was not accepted" if with_token else login),
        (_OBJECTS, "the repository holds damaged or forbidden objects"),
        (_TOO_LARGE, "the repository is too large for a bundle"),
        (_TOO_HARD, "the repository takes too much memory or time to read"),
        (_REDIRECT, "the server sends us to another address; give the final address of the repository"),
        (_MISSING, "repository not found (a private one needs a token)"),
        (_CERTIFICATE, "the certificate of the server is not valid for its name"),
        (_UNREACHABLE, "the server cannot be reached"),
    ):
        if pattern.search(text):
            return reason
    last = next((line for line in reversed(text.splitlines()) if line.startswith(("fatal:", "error:"))), "")
    return f"git could not read the repository: {last[:200] or 'no reason given'}"
