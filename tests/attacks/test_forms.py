"""What strangers and tenants try with forms: scripts, stylesheets, tokens, traps, sizes, frames (A103, A114, A139)."""

import re
from html.parser import HTMLParser
from typing import Any

import pytest
from channels.db import database_sync_to_async
from django.core import signing

from runtime import formtoken
from runtime.models import Execution
from tests.fakes.llm import Fake, say
from tests.runtime import forming, prompting, stage
from tests.runtime.forming import PLAIN, WEB

pytestmark = pytest.mark.django_db(transaction=True)
DOOR = "/alice/forms/ticket"
EVIL = "\"'><script>alert(1)</script><img src=x onerror=alert(2)>{{ 7*7 }}"
QUOTED = "'" + EVIL.replace("'", "''") + "'"


@pytest.fixture
async def start(alice: Any, settings: Any, fake: Fake) -> Any:
    async def started(source: bytes = b"", who: Any = alice) -> Any:
        def made() -> Any:
            prompting.keep_key(who, settings, fake)
            more = {"prompts/ticket.prmd": source or forming.prompt()}
            return stage.run_bundle(who, prompting.files(fake, more))

        return await database_sync_to_async(made)()

    return started


async def page_of(call: Any, door: str = DOOR) -> Any:
    return await call("GET", door, token=None)


async def refused(call: Any, fake: Fake, body: bytes, status: int, **headers: str) -> str:
    """The refusal, and that no model was asked and nothing recorded."""
    answer = await call("POST", DOOR, body, token=None, **{**WEB, **headers})
    assert answer.status == status, answer.body
    assert fake.asked == []
    await stage.drain()
    assert not await Execution.objects.aexists()
    return str(answer.body.decode())


class Markup(HTMLParser):
    """What a browser finds in a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.elements.append((tag, dict(attrs)))


def is_tame(text: str) -> None:
    """No element, attribute or script but ours."""
    found = Markup(text).elements
    assert not {"img", "style", "iframe", "object", "base", "svg"} & {tag for tag, _ in found}
    scripts = [attributes for tag, attributes in found if tag == "script"]
    assert len(scripts) <= 1
    assert all((one["src"] or "").startswith("/alice/forms/ticket/form.js?v=") for one in scripts)
    names = {name for _, attributes in found for name in attributes}
    assert not [name for name in names if name.startswith("on") or not re.fullmatch("[a-z-]+", name)]


HOSTILE = f"""---
id: ticket
name: {QUOTED}
version: 1.0.0
description: {QUOTED}
parameters:
  - {{name: {QUOTED}, description: {QUOTED}, example: {QUOTED}, default: {QUOTED}, error_message: {QUOTED}, maxLength: 2}}
  - {{name: choice, enum: [{QUOTED}, b], required: true}}
  - {{name: many, type: array, enum: [{QUOTED}, b]}}
  - {{name: shape, pattern: {QUOTED}}}
form:
  public: true
  title: {QUOTED}
  description: {QUOTED}
  submit: {"'" + EVIL[:50].replace("'", "''") + "'"}
  language: {QUOTED}
  theme: {{primaryColor: {QUOTED}, backgroundColor: {QUOTED}, fontFamily: {QUOTED}}}
  success: {{title: {QUOTED}, message: {QUOTED}}}
  error: {{title: {QUOTED}, message: {QUOTED}}}
  groups: [{{title: {QUOTED}, description: {QUOTED}, fields: [choice]}}]
  fields: {{choice: {{label: {QUOTED}, help: {QUOTED}, placeholder: {QUOTED}}}}}
---
Hi
"""


async def test_markup_in_every_field_of_the_front_matter_stays_text(
    call: Any, start: Any, fake: Fake
) -> None:
    await start(HOSTILE.encode())
    page = await page_of(call)
    assert page.status == 200
    is_tame(page.body.decode())
    assert '<html lang="en">' in page.body.decode()
    bad = await call(
        "POST", DOOR, forming.encoded(forming.token(page), {EVIL: "abc", "shape": "x"}), token=None, **WEB
    )
    assert bad.status == 422
    is_tame(bad.body.decode())
    fake.brain.turns.append(say(EVIL))
    sent = forming.encoded(forming.token(page), {"choice": EVIL, EVIL: ""})
    done = await call("POST", DOOR, sent, token=None, **WEB)
    is_tame(done.body.decode())


async def test_markup_in_values_and_answers_stays_text(call: Any, start: Any, fake: Fake) -> None:
    await start()
    token = forming.token(await page_of(call))
    wrong = dict.fromkeys(("subject", "message", "tone", "order_id", "stars", "topics", "extra"), EVIL)
    answer = await call("POST", DOOR, forming.encoded(token, wrong), token=None, **WEB)
    assert answer.status == 422
    is_tame(answer.body.decode())
    fake.brain.turns.append(say(f"{EVIL}</pre>"))
    answer = await call("POST", DOOR, forming.encoded(token, PLAIN), token=None, **WEB)
    assert answer.status == 200
    is_tame(answer.body.decode())
    assert answer.body.decode().count("</pre>") == 1


async def test_pages_run_our_script_alone_in_an_origin_of_their_own(call: Any, start: Any) -> None:
    await start()
    page, again = await page_of(call), await page_of(call)
    rules = page.headers["content-security-policy"].split("; ")
    assert rules[0] == "default-src 'none'"
    assert "sandbox allow-forms allow-scripts" in rules
    assert "frame-ancestors 'none'" in rules
    assert "base-uri 'none'" in rules
    assert not any("unsafe" in rule or "*" in rule for rule in rules)
    assert page.headers["x-frame-options"] == "DENY"
    assert page.headers["x-content-type-options"] == "nosniff"
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["content-security-policy"] != again.headers["content-security-policy"]
    assert "set-cookie" not in page.headers


async def test_a_frame_is_for_named_origins_alone(call: Any, start: Any) -> None:
    odd = "public: true\nembed: [https://ok.example, '*', 'https://*.evil.example', 'https://a.example; x *', 'data:']"
    await start(forming.prompt(odd))
    page = await page_of(call)
    assert "frame-ancestors https://ok.example; sandbox" in page.headers["content-security-policy"]
    assert "x-frame-options" not in page.headers


CSS = [
    "}</style><script>alert(1)</script>",
    "@import 'https://evil.example/x.css';",
    "@font-face { font-family: x; src: url(https://evil.example/x) }",
    ".a { background: url(https://evil.example/?x) }",
    ".a { background: u\\72l(https://evil.example/) }",
    ".a { background: image-set('https://evil.example/' 1x) }",
    "input[value^='a'] { color: red }",
    ".a { position: fixed; inset: 0 }",
    ".a { pos\\69tion: fixed }",
    ".a { width: expression(alert(1)) }",
    ".a { behavior: url(x.htc); -moz-binding: url(x) }",
    ".a { margin: -9999px }",
    ".form-trap { display: block !important }",
    "body, html, :root { display: none }",
    ".a { } } body { color: red } .b {",
    ".a { color: red/**/;/*",
    ".a { background: url/**/(//evil) }",
    ".a { background: u/**/rl(//evil) }",
    ".a { margin: -/**/9999px }",
    ".a { margin: calc/**/(0px - 9999px) }",
    ".a { --x: url(https://evil.example/) }",
    "</style>",
    "@namespace url(x); @charset 'x'; @layer guard { .form-trap { display: block } }",
]


@pytest.mark.parametrize("css", CSS)
async def test_a_stylesheet_cannot_leave_its_form(call: Any, start: Any, css: str) -> None:
    block = "public: true\ncustomCss: '.submit-btn { color: #123456 } " + css.replace("'", "''") + "'"
    await start(forming.prompt(block))
    sheet = (await call("GET", f"{DOOR}/custom.css", token=None)).body.decode()
    for word in (
        "url",
        "import",
        "evil",
        "position",
        "fixed",
        "expression",
        "<",
        "script",
        "important",
        "\\",
        "body",
        "-9999",
        "@font",
    ):
        assert word not in sheet, sheet
    assert "color: #123456" in sheet
    assert sheet.count("{") == sheet.count("}")
    page = await page_of(call)
    assert css not in page.body.decode()


async def test_a_token_is_good_for_its_own_form_alone(
    call: Any, start: Any, alice: Any, charlie: Any, fake: Fake
) -> None:
    await start()
    await start(who=charlie)
    own, theirs = forming.token(await page_of(call)), await page_of(call, "/charlie/forms/ticket")
    for stolen in (
        "",
        "x",
        own[:-1] + ("a" if own[-1] != "a" else "b"),
        forming.token(theirs),
        formtoken.make(str(alice.tenant.pk), "hello"),
        signing.TimestampSigner(salt="other").sign("x"),
    ):
        text = await refused(
            call, fake, forming.encoded(stolen, {**PLAIN, "message": "typed by an attacker"}), 403
        )
        assert "Nothing was sent" in text
        assert "typed by an attacker" not in text
    assert (await call("POST", DOOR, forming.encoded(own, PLAIN), token=None, **WEB)).status == 200


async def test_an_old_token_is_refused_and_nothing_typed_is_lost(
    call: Any, start: Any, fake: Fake, monkeypatch: Any
) -> None:
    await start()
    token = forming.token(await page_of(call))
    monkeypatch.setattr(formtoken, "LASTS_S", -1)
    text = await refused(call, fake, forming.encoded(token, {**PLAIN, "message": "a long letter"}), 403)
    assert "open for too long" in text
    assert "a long letter" in text


async def test_the_trap_catches_who_fills_in_everything(call: Any, start: Any, fake: Fake) -> None:
    await start()
    token = forming.token(await page_of(call))
    await refused(call, fake, forming.encoded(token, PLAIN, _website="https://spam.example"), 422)


@pytest.mark.parametrize("more", [{"admin": "1"}, {"__proto__": "x"}, {"subject.x": "1"}])
async def test_fields_that_the_form_does_not_have_are_refused(
    call: Any, start: Any, fake: Fake, more: Any
) -> None:
    await start()
    token = forming.token(await page_of(call))
    assert "no such parameter" in await refused(call, fake, forming.encoded(token, {**PLAIN, **more}), 422)
    await refused(call, fake, forming.encoded(token, PLAIN) + b"&provider=x", 422)


async def test_too_much_is_refused(call: Any, start: Any, fake: Fake, settings: Any) -> None:
    await start()
    token = forming.token(await page_of(call))
    await refused(call, fake, forming.encoded(token, {**PLAIN, "message": "x" * 1_000_000}), 422)
    await refused(
        call, fake, forming.encoded(token, {**PLAIN, "message": "x" * (settings.CALL_MAX_BODY + 1)}), 413
    )
    await refused(call, fake, forming.encoded(token, PLAIN) + b"&a=1" * 2_000, 400)


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"{}", "application/json", 415),
        (b"x", "text/plain", 415),
        (b"\xff=\xfe", "application/x-www-form-urlencoded", 400),
        (b"p-subject=%ff", "application/x-www-form-urlencoded", 400),
        (b"--a\r\n", "multipart/form-data", 400),
        (b"nothing", "multipart/form-data; boundary=a", 403),
        (b"", "", 415),
    ],
)
async def test_what_no_browser_sends_is_refused(
    call: Any, start: Any, fake: Fake, body: bytes, kind: str, status: int
) -> None:
    await start()
    await refused(call, fake, body, status, content_type=kind)


GUARDED = forming.prompt().replace(b"form:", b"interceptors: [logging]\nform:", 1)


@pytest.mark.parametrize("source", [forming.prompt(), GUARDED], ids=["bare", "guarded"])
@pytest.mark.parametrize(
    "values",
    [
        {"stars": "9" * 25},
        {"extra": "[" * 5_000},
        {"extra": '{"a": [NaN]}'},
        {"extra": '{"a": "\\ud800"}'},
        {"extra": '{"a":' * 300 + "1" + "}" * 300},
    ],
    ids=["long number", "deep", "nan", "half a character", "deep object"],
)
async def test_what_no_json_can_hold_is_told_beside_its_field(
    call: Any, start: Any, fake: Fake, source: bytes, values: Any
) -> None:
    await start(source)
    token = forming.token(await page_of(call))
    page = await refused(call, fake, forming.encoded(token, {**PLAIN, **values}), 422)
    assert "Must be a" in page


async def test_a_form_is_not_taken_on_for_later(call: Any, start: Any, fake: Fake) -> None:
    await start(GUARDED)
    fake.brain.turns.append(say("Hello"))
    body = forming.encoded(forming.token(await page_of(call)), PLAIN)
    answer = await call("POST", DOOR, body, token=None, prefer="respond-async", **WEB)
    assert (answer.status, len(fake.asked)) == (200, 1)
    assert "Hello" in answer.body.decode()


async def test_one_address_may_not_send_for_ever(call: Any, start: Any, fake: Fake, monkeypatch: Any) -> None:
    from runtime import forms

    monkeypatch.setattr(forms, "SENDINGS", 2)
    await start()
    token = forming.token(await page_of(call))
    sent = [forming.encoded(token, {**PLAIN, "subject": f"Parcel {number}"}) for number in range(3)]
    answers = [await call("POST", DOOR, one, token=None, **WEB) for one in sent]
    assert [answer.status for answer in answers] == [200, 200, 429]
    assert int(answers[2].headers["retry-after"]) > 0
    assert len(fake.asked) == 2


async def test_a_key_of_somebody_else_opens_nothing(call: Any, start: Any, charlie: Any, fake: Fake) -> None:
    await start(forming.prompt("title: Ours"))
    for door in (DOOR, f"{DOOR}/theme.css", "/alice/forms/absent"):
        assert (await call("GET", door, token=charlie.token)).status == 404
        assert (await call("GET", door, token=None)).status == 401
    assert fake.asked == []


async def test_names_in_the_address_stay_text(call: Any, start: Any) -> None:
    await start()
    page = await call("GET", "/alice/forms/%3Cscript%3Ealert(1)%3C%2Fscript%3E", token=None)
    assert page.status == 401
    is_tame(page.body.decode())
