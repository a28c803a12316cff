"""Prompts of a bundle: their problems are told at its import and hinder nothing else."""

from typing import Any

import pytest

from bundles import bundle, deploy, store
from bundles.draft import draft
from bundles.models import Bundle
from tests.bundles.promptsamples import codes, prmd
from tests.bundles.samples import shop

BAD = prmd("{% if %}", "inherits: ./none.prmd\nparameters: [{name: a, type: strin}]\n")


def test_problems_of_prompts_are_problems_of_the_bundle() -> None:
    found = bundle.load(
        shop()
        | {
            "prompts/bad.prmd": BAD,
            "prompts/deep/good.prmd": prmd("a", start="id: good\nname: G\nversion: 1.0.0\n"),
        }
    )
    assert dict(found.prompts) == {"x": "prompts/bad.prmd", "good": "prompts/deep/good.prmd"}
    prompts = [one for one in found.problems if one.file == "prompts/bad.prmd"]
    assert codes(prompts) == ["INHERITS_FILE_NOT_FOUND", "UNKNOWN_TYPE", "TEMPLATE_SYNTAX_ERROR"]
    assert [one.line for one in prompts] == [5, 6, 8]


def test_two_prompts_of_one_id_are_an_error() -> None:
    found = bundle.load(shop() | {"prompts/a.prmd": prmd("a"), "prompts/b.prmd": prmd("b")})
    assert [one.message for one in found.problems if one.severity == "error"] == [
        "the prompt 'x' stands for two files, prompts/a.prmd and prompts/b.prmd"
    ]


def test_a_prompt_that_nobody_has_is_a_warning() -> None:
    files = shop()
    files["shop/shop-service.yaml"] = files["shop/shop-service.yaml"].replace(
        b"to: wasm:shop:echo", b"to: prompt:gret"
    )
    files["prompts/greet.prmd"] = prmd("a", start="id: greet\nname: G\nversion: 1.0.0\n")
    found = bundle.load(files)
    assert "prompt 'gret' not found, did you mean 'greet'?" in [one.message for one in found.problems]


def test_prompts_of_packages_and_tests_are_not_prompts_of_the_bundle() -> None:
    files = shop() | {"packages/@a/b/prompts/x.prmd": BAD, "prompts/x.test.prmd": prmd("", "tests: []\n")}
    found = bundle.load(files)
    assert dict(found.prompts) == {}
    assert not found.has_errors


@pytest.mark.django_db
@pytest.mark.usefixtures("clean_redis")
def test_a_faulty_prompt_keeps_no_bundle_from_running(alice: Any) -> None:
    files = shop() | {"prompts/bad.prmd": BAD, "prompts/worse.prmd": b"---\nid: [\n---\n"}
    assert not draft(alice.tenant, files).errors
    done = store.import_files("test", alice.tenant, files, message="x")
    assert {one["file"] for one in done.problems if one["severity"] == "error"} == {
        "prompts/bad.prmd",
        "prompts/worse.prmd",
    }
    deploy.ask_run("test", done.bundle)
    assert Bundle.objects.get().status == "starting"
