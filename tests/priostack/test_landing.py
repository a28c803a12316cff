"""The landing page: for strangers only, and its example is a bundle that loads."""

import html
import re
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client

from bundles.bundle import load
from tests.conftest import Person

BUNDLE = b"name: shop\nservices:\n  - path: catalog/catalog-service.yaml\n"


@pytest.mark.django_db
def test_a_stranger_sees_it_under_a_strict_policy(client: Client) -> None:
    answer = client.get("/")
    assert answer.status_code == 200
    assert "unsafe" not in answer["Content-Security-Policy"]
    assert "/accounts/signup/" in answer.content.decode()


def test_a_member_goes_on_to_the_dashboard(alice: Person) -> None:
    answer = alice.client.get("/")
    assert (answer.status_code, answer["Location"]) == (302, "/dashboard")


def test_its_example_loads_without_an_error() -> None:
    text = (Path(settings.BASE_DIR) / "templates/_landing_sample.html").read_text()
    shown = re.search(r'in YAML"><code>(.*?)</code>', text, re.DOTALL)
    assert shown
    service = html.unescape(re.sub(r"<[^>]+>", "", shown[1])).encode()
    definition = load({"bundle.yaml": BUNDLE, "catalog/catalog-service.yaml": service})
    assert [problem for problem in definition.problems if problem.severity == "error"] == []
    assert definition.services[0].endpoints[0].path == "/products/:id"
