"""The README's tour of prompts, run word for word: without a key it is rehearsed, with one the model's server is asked."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as configured
from playwright.sync_api import Browser, expect

from billing import keys, variables
from tests.conftest import Person
from tests.e2e.conftest import PHONE, Visitor
from tests.e2e.dataplane import DataPlane
from tests.examples.front import files
from tests.fakes.llm import Fake
from tests.runtime import stage

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("clean_redis"),
    pytest.mark.skipif(not shutil.which("curl"), reason="NO CURL: the README's commands are not run"),
]
README = (Path(configured.BASE_DIR) / "README.md").read_text(encoding="utf-8")


@pytest.fixture
def plane() -> Iterator[DataPlane]:
    with DataPlane() as found:
        yield found


@pytest.fixture
def demo(plane: DataPlane) -> Person:
    person = Person("demo@example.org", "demo", "owner")
    person.token = keys.create(person.tenant, "demo", scopes=keys.OPERATOR, by=person.user)[1]
    stage.run_bundle(person, files())
    return person


def block(title: str, number: int = 0) -> str:
    """A block of commands below a bold title."""
    part = README.split(f"**{title}**", 1)[1].split("\n**", 1)[0]
    return re.findall(r"^```sh\n(.*?)^```$", part, re.MULTILINE | re.DOTALL)[number]


def typed(commands: str, person: Person, plane: DataPlane, pages: str = "") -> str:
    """What a shell prints; here pages and the data plane have an address each."""
    env = {**os.environ, "AUTH": f"Authorization: Bearer {person.token}", "URL": plane.url, "PAGES": pages}
    script = commands.replace("$URL/api/", "$PAGES/api/")
    argv = ["bash", "-euc", script]
    done = subprocess.run(argv, env=env, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_without_a_key_the_tour_is_rehearsed(demo: Person, plane: DataPlane) -> None:
    called = json.loads(typed(block("Call a prompt."), demo, plane))
    assert called["model"] == "rehearsal"
    assert "Coffee mug" in called["output"]
    told = typed(block("Call a prompt.", 1), demo, plane)
    assert told.count("event: token\n") > 5
    assert "event: done\n" in told
    field = json.loads(next(line for line in told.splitlines() if line.startswith('{"data"')))
    assert field["data"]["product_description"]["model"] == "rehearsal"
    assert "at most 40 words" in field["data"]["product_description"]["output"]
    assert typed(block("Call a prompt.", 2), demo, plane) == f"{plane.url}/demo/forms/product-description\n"


def test_with_a_key_the_model_is_asked_and_without_it_it_is_rehearsed_again(
    demo: Person, plane: DataPlane, live_server: Any, settings: Any
) -> None:
    with Fake() as fake:
        settings.EGRESS_ALLOW = [fake.place]
        variables.put(demo.tenant, "openai_url", f"{fake.url}/v1")
        keep = block("Ask a real model.").replace("api.openai.com", "127.0.0.1")
        assert json.loads(typed(keep, demo, plane, live_server.url))["name"] == "OPENAI_API_KEY"
        called = json.loads(typed(block("Call a prompt."), demo, plane))
        assert called["output"].startswith("You said: Describe the product “Coffee mug”")
        assert called["model"] == "gpt-5-mini"
        assert fake.asked[0].headers["authorization"] == "Bearer sk-your-key"
        told = typed(block("Call a prompt.", 1), demo, plane)
        assert (len(fake.asked), "rehearsal" in told) == (3, False)
        back = re.findall(r"`(curl -X DELETE [^`]+)`", README)[0]
        typed(back, demo, plane, live_server.url)
        assert json.loads(typed(block("Call a prompt."), demo, plane))["model"] == "rehearsal"
        assert len(fake.asked) == 3


@pytest.mark.parametrize("options", [{}, {"viewport": PHONE, "color_scheme": "dark"}])
def test_the_form_of_the_tour_answers_and_says_that_it_is_a_rehearsal(
    browser: Browser, demo: Person, plane: DataPlane, options: dict[str, Any]
) -> None:
    page = Visitor(browser, plane.url)("/demo/forms/product-description", **options)
    page.get_by_label("Product").fill("Desk lamp")
    page.get_by_label("What is special about it").fill("dims by itself\ncomes with a bulb")
    page.get_by_label("Tone").select_option("playful")
    page.get_by_role("button", name="Describe it").click()
    expect(page.locator("h1")).to_have_text("Here is your text")
    expect(page.locator(".output-label")).to_contain_text("no language model was asked")
    expect(page.locator(".output")).to_contain_text("Desk lamp! It dims by itself. It comes with a bulb.")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    page.context.close()
