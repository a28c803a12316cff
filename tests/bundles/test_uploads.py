"""Uploads that are too large end before they fill a disk (A037)."""

import pytest

from bundles import uploads
from bundles.models import Bundle
from tests.bundles.samples import shop, zipped
from tests.bundles.test_api_bundles import upload
from tests.conftest import Person


def test_a_small_upload_passes(alice: Person) -> None:
    assert upload(alice.api, zipped(shop())).status_code == 201


def test_a_too_large_upload_is_refused_whole(alice: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "MAX_UPLOAD", 100_000)
    answer = upload(alice.api, zipped(shop() | {"big.bin": bytes(200_000)}))
    assert answer.status_code in (400, 413)
    assert not Bundle.objects.exists()


def test_a_length_that_lies_does_not_help(alice: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    handler = uploads.Quota()
    monkeypatch.setattr(uploads, "MAX_UPLOAD", 100)
    handler.handle_raw_input(None, {}, 10, b"x")  # type: ignore[arg-type]
    assert handler.receive_data_chunk(b"x" * 90, 0)
    with pytest.raises(uploads.RequestDataTooBig):
        handler.receive_data_chunk(b"x" * 90, 90)
