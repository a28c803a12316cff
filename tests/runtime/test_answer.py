"""From a guest's JSON to an answer: what a function may say, and what it may not make us say."""

import pytest

from runtime.answer import BadAnswer, read


def test_any_json_is_a_200():
    for output in (b'{"a":1}', b"[1,2]", b'"x"', b"null", b"3"):
        reply = read(output)
        assert (reply.status, reply.body, reply.content_type) == (200, output, "application/json")


def test_status_headers_and_body_make_a_full_answer():
    reply = read(b'{"status":201,"headers":{"X-Shop":"one","ETag":"\\"a\\""},"body":{"id":1}}')
    assert (reply.status, reply.body, reply.error) == (201, b'{"id":1}', "")
    assert reply.headers == [("x-shop", "one"), ("etag", '"a"')]


def test_text_and_bytes_leave_as_they_are():
    text = read(b'{"status":200,"headers":{"content-type":"text/plain"},"body":"hi"}')
    assert (text.body, text.content_type) == (b"hi", "text/plain")
    blob = read(b'{"status":200,"body":{"base64":"AAEC"}}')
    assert (blob.body, blob.content_type) == (b"\0\1\2", "application/octet-stream")


def test_a_function_can_set_no_cookie_and_none_of_our_headers():
    reply = read(
        b'{"status":200,"headers":{"Set-Cookie":"a=b","X-Execution-Id":"1","Content-Security-Policy":"x"}}'
    )
    assert reply.headers == []


@pytest.mark.parametrize(
    "output",
    [
        b"",
        b"{",
        b"\xff",
        b'{"status":99999}',
        b'{"status":100}',
        b'{"status":-1}',
        b'{"status":200,"headers":[]}',
        b'{"status":200,"headers":{"a b":"x"}}',
        b'{"status":200,"headers":{"x-a":"1\\r\\nset-cookie: b"}}',
        b'{"status":200,"body":{"base64":"%%%"}}',
    ],
)
def test_what_is_no_answer_is_refused(output):
    with pytest.raises(BadAnswer):
        read(output)


def test_an_error_key_is_an_error_and_so_is_a_5xx_but_not_a_4xx():
    assert read(b'{"error":"no stock"}').error == "no stock"
    assert read(b'{"status":503,"body":{"error":"down"}}').error == "down"
    assert read(b'{"status":404,"body":{"error":"unknown"}}').error == ""


def test_a_true_status_is_data_not_a_status():
    assert read(b'{"status":true}').status == 200
