"""What a function is told of a request."""

import gzip

import orjson
import pytest

from billing.errors import ApiError
from runtime import ask


def read(data, **headers):
    value = ask.body(data, {name.replace("_", "-"): text for name, text in headers.items()}, limit=1000)
    return orjson.loads(orjson.dumps(value))


def test_json_text_and_bytes():
    assert read(b'{"a":1}', content_type="application/json") == {"a": 1}
    assert read(b'{"a":1}', content_type="application/vnd.x+json; charset=utf-8") == {"a": 1}
    assert read(b"hello", content_type="text/plain") == "hello"
    assert read(b"\xff\x00", content_type="text/plain") == {"base64": "/wA="}
    assert read(b"abc", content_type="application/octet-stream") == {"base64": "YWJj"}
    assert read(b"[1]") == [1]
    assert read(b"") is None


def test_broken_json_is_told_with_its_place():
    with pytest.raises(ApiError) as refused:
        read(b'{"a":\n}', content_type="application/json")
    assert refused.value.status == 400
    assert refused.value.errors[0]["line"] == 2


def test_gzip_is_unpacked_within_the_limit():
    assert read(gzip.compress(b"[2]"), content_encoding="gzip", content_type="application/json") == [2]


@pytest.mark.parametrize(
    ("data", "status"),
    [(gzip.compress(b"0" * 5000), 413), (b"nonsense", 400), (gzip.compress(b"[2]")[:-6], 400)],
    ids=["bomb", "nonsense", "torn"],
)
def test_bad_gzip_is_refused(data, status):
    with pytest.raises(ApiError) as refused:
        read(data, content_encoding="gzip")
    assert refused.value.status == status


def test_an_unknown_encoding_is_refused():
    with pytest.raises(ApiError) as refused:
        read(b"x", content_encoding="br")
    assert refused.value.status == 415


def test_the_last_value_of_a_name_counts():
    assert ask.query(b"a=1&a=2&b=&c=%C3%A9") == {"a": "2", "b": "", "c": "é"}


def test_too_many_fields_are_refused():
    with pytest.raises(ApiError):
        ask.query(b"&".join(b"a=1" for _ in range(500)))
