"""Content-addressed storage."""

import pytest
from django.core.files.storage import default_storage

from bundles import files


def test_a_content_is_stored_under_its_digest() -> None:
    sha256 = files.put(b"hello")
    assert default_storage.exists(f"blobs/{sha256[:2]}/{sha256}")
    assert files.get(sha256, 5) == b"hello"


def test_storing_twice_keeps_one_file() -> None:
    first = files.put(b"twice")
    changed = default_storage.get_modified_time(files.name_of(first))
    assert files.put(b"twice") == first
    assert default_storage.get_modified_time(files.name_of(first)) == changed
    assert list(files.stored()).count(first) == 1
    assert len(default_storage.listdir(f"blobs/{first[:2]}")[1]) == len(
        set(default_storage.listdir(f"blobs/{first[:2]}")[1])
    )


def test_an_empty_content_is_a_content() -> None:
    assert files.get(files.put(b""), 0) == b""


def test_a_wrong_length_is_noticed() -> None:
    sha256 = files.put(b"length")
    with pytest.raises(files.Damaged):
        files.get(sha256, 7)


def test_a_changed_content_is_noticed() -> None:
    sha256 = files.put(b"before")
    with open(default_storage.path(files.name_of(sha256)), "wb") as file:
        file.write(b"AFTER!")
    with pytest.raises(files.Damaged):
        files.get(sha256, 6)
    files.delete(sha256)


def test_a_lost_content_is_noticed() -> None:
    sha256 = files.put(b"lost")
    files.delete(sha256)
    with pytest.raises(files.Damaged):
        files.get(sha256)
