"""`manage.py prompts`: prompts on disk are compiled and tested."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from bundles.promptfolder import PromptFolder, root_of
from tests.bundles.promptsamples import prmd

BODY = "Hello {{ name }}, {{ n + 1 }} {{ tags }}"
HEAD = "parameters: [name, {name: n, type: integer}, {name: tags, type: array}]\nsystem: ../s.md\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "prompts").mkdir()
    (tmp_path / "bundle.yaml").write_text("name: x\n")
    (tmp_path / "s.md").write_text("Be brief.")
    (tmp_path / "prompts" / "x.prmd").write_bytes(prmd(BODY, HEAD))
    tests = (
        "tests: [{name: says hello, params: {name: Ann}, assert: [{check: contains, value: hello ann}]}]\n"
    )
    (tmp_path / "prompts" / "x.test.prmd").write_bytes(prmd("", tests))
    return tmp_path


def run(*args: Any) -> tuple[str, str]:
    out, err = StringIO(), StringIO()
    call_command("prompts", *map(str, args), stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def test_values_become_what_is_declared(folder: Path) -> None:
    path = folder / "prompts" / "x.prmd"
    out, err = run("compile", path, "--param", "name=Ann=e", "--param", "n=1", "--param", "tags=a,b")
    assert (out, err) == ("Hello Ann=e, 2 a,b\n\n# System\n\nBe brief.\n", "")


def test_values_may_stand_in_a_file(folder: Path) -> None:
    (folder / "v.json").write_text('{"name": "Bob", "n": 2, "tags": []}')
    out, _ = run(
        "compile", folder / "prompts/x.prmd", "--params", folder / "v.json", "--json", "--format", "openai"
    )
    assert json.loads(out) == {"output": [{"role": "system", "content": "Be brief."}], "problems": []}


def test_an_error_ends_with_one_and_still_prints(folder: Path) -> None:
    path = folder / "prompts" / "bad.prmd"
    path.write_bytes(prmd("Hi {% if %}\x1b", "inherits: ./none.prmd\n").replace(b"\x1b", b""))
    out, err = StringIO(), StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("prompts", "compile", str(path), stdout=out, stderr=err)
    assert ended.value.code == 1
    assert out.getvalue() == "Hi {% if %}\n"
    assert "prompts/bad.prmd:5:11: error: the inherited prompt" in err.getvalue()


@pytest.mark.parametrize(
    "args", [("none.prmd",), ("prompts/x.prmd", "--param", "n"), ("prompts/x.prmd", "--params", "s.md")]
)
def test_what_cannot_be_meant_is_refused(folder: Path, args: tuple[str, ...]) -> None:
    with pytest.raises(CommandError):
        run("compile", *(folder / arg if "." in arg else arg for arg in args))


@pytest.mark.parametrize("path", ["prompts", ".", "prompts/x.prmd", "prompts/x.test.prmd"])
def test_tests_run(folder: Path, path: str) -> None:
    out, _ = run("test", folder / path)
    assert out == "ok   prompts/x.test.prmd:5 says hello\n1 passed, 0 failed\n"
    assert json.loads(run("test", folder / path, "--json")[0])["passed"] == 1


def test_a_test_that_fails_ends_with_one(folder: Path) -> None:
    (folder / "s.md").write_text("")
    (folder / "prompts" / "x.prmd").write_bytes(prmd("Bye"))
    with pytest.raises(SystemExit):
        run("test", folder)


def test_links_and_paths_out_of_the_root_are_not_there(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    secret = tmp_path_factory.mktemp("elsewhere") / "secret.txt"
    secret.write_text("hidden")
    (folder / "link.txt").symlink_to(secret)
    files = PromptFolder(folder)
    for name in ("link.txt", "../secret.txt", str(secret), "", "a\0b", "prompts"):
        assert name not in files
        with pytest.raises(KeyError):
            files[name]
    assert files["s.md"] == b"Be brief."


def test_the_root_is_the_bundle_or_all_packages_around(folder: Path) -> None:
    assert root_of(folder / "prompts" / "x.prmd") == folder
    (folder / "bundle.yaml").unlink()
    assert root_of(folder / "prompts" / "x.prmd") == folder
    inner = folder / "@ns" / "pkg" / "prompts"
    inner.mkdir(parents=True)
    (inner.parent / "prompd.json").write_text("{}")
    assert root_of(inner / "a.prmd") == folder
    (folder / "packages").mkdir()
    assert root_of(folder / "packages" / "a.prmd") == folder


def test_a_terminal_gets_nothing_that_it_would_obey(folder: Path) -> None:
    class Terminal(StringIO):
        def isatty(self) -> bool:
            return True

    (folder / "s.md").write_bytes(b"red \x1b[31m\tx\n")
    path = str(folder / "prompts" / "x.prmd")
    for out, there in ((Terminal(), False), (StringIO(), True)):
        call_command("prompts", "compile", path, "--no-color", stdout=out)
        assert ("\x1b" in out.getvalue()) == there
        assert "red " in out.getvalue()
