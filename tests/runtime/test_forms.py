"""GET and POST /{tenant}/forms/{id}: the page of a prompt, what is sent of it, and what is answered."""

from typing import Any

import pytest
from channels.db import database_sync_to_async

from runtime.models import Execution
from tests.fakes.llm import Fake, refuse, say
from tests.runtime import forming, prompting, stage
from tests.runtime.forming import PLAIN, WEB

pytestmark = pytest.mark.django_db(transaction=True)
DOOR = "/alice/forms/ticket"


@pytest.fixture
async def start(alice: Any, settings: Any, fake: Fake) -> Any:
    async def started(form: str = "public: true", head: bytes = b"") -> Any:
        def made() -> Any:
            prompting.keep_key(alice, settings, fake)
            more = {"prompts/ticket.prmd": forming.prompt(form).replace(b"form:\n", head + b"form:\n")}
            return stage.run_bundle(alice, prompting.files(fake, more))

        return await database_sync_to_async(made)()

    return started


async def send(call: Any, values: dict[str, Any], door: str = DOOR, **own: str) -> Any:
    page = await call("GET", door, token=None)
    return await call("POST", door, forming.encoded(forming.token(page), values, **own), token=None, **WEB)


async def test_every_parameter_has_the_field_that_fits_it(call: Any, start: Any) -> None:
    await start()
    page = await call("GET", DOOR, token=None)
    text = page.body.decode()
    assert page.status == 200
    assert (
        '<input class="field-input" type="text" id="field-0" name="p-subject" value="" minlength="3"' in text
    )
    assert '<textarea class="field-input" id="field-1" name="p-message"' in text
    assert '<option value="warm" selected>warm</option>' in text
    assert (
        'type="number" id="field-4" name="p-stars" value="" step="1" inputmode="numeric" min="1" max="5"'
        in text
    )
    assert '<input type="checkbox" id="field-5" name="p-urgent" value="true"' in text
    assert '<input type="checkbox" id="field-6" name="p-topics" value="parcel"' in text
    assert '<input class="field-input" type="file" id="field-8"' in text
    assert 'enctype="multipart/form-data"' in text
    assert '<label class="field-label" for="field-0">Subject</label>' in text
    assert 'aria-describedby="field-0-error field-0-help field-0-example"' in text


async def test_what_is_sent_becomes_one_execution_of_the_trigger_form(
    call: Any, start: Any, fake: Fake
) -> None:
    await start()
    fake.brain.turns.append(say("Dear <b>Ann</b>,\nit is on its way."))
    values = {
        **PLAIN,
        "stars": "4",
        "urgent": ["false", "true"],
        "topics": ["parcel", "account"],
        "order_id": "AB-1234",
    }
    answer = await send(call, values)
    assert answer.status == 200
    assert "Dear &lt;b&gt;Ann&lt;/b&gt;,\nit is on its way." in answer.body.decode()
    assert fake.asked[0].said() == "Late parcel/Where is it?/warm/4/true/parcel+account/"
    await stage.drain()
    run = await Execution.objects.aget()
    assert (run.trigger, run.target, run.status) == ("form", "prompt:ticket", "success")


async def test_a_file_is_its_text(call: Any, start: Any, fake: Fake) -> None:
    await start()
    page = await call("GET", DOOR, token=None)
    body, kind = forming.parts(forming.token(page), PLAIN, {"log": b"one\r\ntwo"})
    answer = await call("POST", DOOR, body, token=None, content_type=kind)
    assert answer.status == 200, answer.body
    assert fake.asked[0].said().endswith("/one\ntwo")


@pytest.mark.parametrize(("data", "said"), [(b"\xff\xfe\x00", "UTF-8"), (b"a" * 9000, "the limit is")])
async def test_a_file_that_does_not_fit_is_refused(
    call: Any, start: Any, fake: Fake, data: bytes, said: str
) -> None:
    await start()
    page = await call("GET", DOOR, token=None)
    body, kind = forming.parts(forming.token(page), PLAIN, {"log": data})
    answer = await call("POST", DOOR, body, token=None, content_type=kind)
    assert (answer.status, said in answer.body.decode(), fake.asked) == (422, True, [])


async def test_problems_stand_beside_their_fields_and_nothing_is_lost(
    call: Any, start: Any, fake: Fake
) -> None:
    await start()
    answer = await send(
        call, {"subject": "x", "message": "Where & how?", "stars": "9", "order_id": "ab", "tone": "brief"}
    )
    text = answer.body.decode()
    assert (answer.status, fake.asked) == (422, [])
    assert '<a href="#field-0">Subject: Must have at least 3 characters, but has 1.</a>' in text
    assert '<p class="field-error" id="field-4-error">Must be at most 5.</p>' in text
    assert '<p class="field-error" id="field-3-error">Write it as AB-1234.</p>' in text
    assert 'value="9"' in text
    assert 'aria-invalid="true"' in text
    assert "Where &amp; how?" in text
    assert '<option value="brief" selected>' in text
    assert "<title>Error: Answer a ticket</title>" in text
    assert 'role="alert" tabindex="-1" autofocus' in text


async def test_an_empty_field_is_not_given(call: Any, start: Any, fake: Fake) -> None:
    await start()
    answer = await send(call, {**PLAIN, "stars": "", "extra": "", "order_id": ""})
    assert answer.status == 200
    assert fake.asked[0].said() == "Late parcel/Where is it?/warm////"


async def test_what_is_needed_is_said(call: Any, start: Any, fake: Fake) -> None:
    await start()
    answer = await send(call, {})
    assert answer.status == 422
    assert answer.body.decode().count("This is needed.") == 4
    assert fake.asked == []


async def test_a_form_is_private_unless_its_prompt_says_public(call: Any, start: Any, fake: Fake) -> None:
    await start("title: Ours")
    refused = await call("GET", DOOR, token=None)
    text = refused.body.decode()
    assert (refused.status, refused.headers["www-authenticate"]) == (401, "Bearer")
    assert "Authorization: Bearer $KEY" in text
    assert "Ours" not in text
    absent = await call("GET", "/alice/forms/absent", token=None)
    assert absent.status == 401
    page = await call("GET", DOOR)
    assert page.status == 200
    body = forming.encoded(forming.token(page), PLAIN)
    assert (await call("POST", DOOR, body, token=None, **WEB)).status == 401
    assert fake.asked == []
    assert (await call("POST", DOOR, body, **WEB)).status == 200


async def test_who_calls_is_in_the_history(call: Any, start: Any) -> None:
    await start()
    assert (await send(call, PLAIN)).status == 200
    await stage.drain()
    assert (await Execution.objects.aget()).caller == "public"


async def test_a_form_can_be_switched_off(call: Any, start: Any, alice: Any, fake: Fake) -> None:
    off = forming.prompt().replace(b"form:\n  public: true", b"form: false")
    await start()
    files = prompting.files(fake, {"prompts/ticket.prmd": off})
    await database_sync_to_async(stage.run_bundle)(alice, files)
    assert (await call("GET", DOOR)).status == 404


async def test_texts_of_the_front_matter_are_shown(call: Any, start: Any) -> None:
    await start(
        "public: true\ntitle: Ask us\nsubmit: Ask\nlanguage: de\n"
        "success: {title: Thank you, message: We have it, showOutput: false}"
    )
    page = (await call("GET", DOOR, token=None)).body.decode()
    assert '<html lang="de">' in page
    assert "<h1>Ask us</h1>" in page
    assert ">Ask</button>" in page
    done = (await send(call, PLAIN)).body.decode()
    assert "<h1>Thank you</h1>" in done
    assert "We have it" in done
    assert 'class="output"' not in done


async def test_groups_order_the_fields(call: Any, start: Any) -> None:
    await start(
        "public: true\ngroups: [{title: The order, description: If you know it, fields: [order_id, stars]}]\n"
        "fields: {stars: {label: How many stars, help: From 1 to 5}}"
    )
    page = (await call("GET", DOOR, token=None)).body.decode()
    assert (
        page.index('name="p-log"')
        < page.index("<legend>The order</legend>")
        < page.index('name="p-order_id"')
    )
    assert "How many stars" in page
    assert "From 1 to 5" in page


async def test_when_the_model_fails_the_visitor_can_try_again(call: Any, start: Any, fake: Fake) -> None:
    await start("public: true\nerror: {title: Sorry, message: Call us instead}")
    fake.brain.turns.extend([refuse(500), refuse(500), refuse(500)])
    answer = await send(call, PLAIN)
    text = answer.body.decode()
    assert answer.status == 502
    assert "Sorry" in text
    assert "Call us instead" in text
    assert "Where is it?" in text
    assert prompting.KEY not in text


async def test_theme_and_stylesheet_have_addresses_of_their_own(call: Any, start: Any) -> None:
    await start(
        'public: true\ntheme: {primaryColor: "#3b82f6", fontFamily: "Inter, sans-serif"}\n'
        'customCss: ".submit-btn { border-radius: 2rem }"'
    )
    page = (await call("GET", DOOR, token=None)).body.decode()
    assert "<style" not in page
    assert " style=" not in page
    theme = await call("GET", f"{DOOR}/theme.css", token=None)
    assert "--form-primary: #3473da" in theme.body.decode()
    assert '"Inter", sans-serif' in theme.body.decode()
    custom = await call("GET", f"{DOOR}/custom.css", token=None)
    assert ".form-scope .submit-btn { border-radius: 2rem; }" in custom.body.decode()
    assert custom.headers["content-type"].startswith("text/css")
    assert (await call("GET", f"{DOOR}/nothing.css", token=None)).status == 404
    address = page.split('href="')[1].split('"')[0]
    assert "immutable" in (await call("GET", address, token=None)).headers["cache-control"]


async def test_other_methods_are_refused(call: Any, start: Any) -> None:
    await start()
    answer = await call("DELETE", DOOR, token=None)
    assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD, POST")
    head = await call("HEAD", DOOR, token=None)
    assert (head.status, head.body) == (200, b"")


async def test_interceptors_of_the_prompt_hold_for_its_form(call: Any, start: Any, fake: Fake) -> None:
    await start(head=b"interceptors:\n  - rateLimit: {maxRequests: 1, windowMs: 60000}\n")
    answers = [await send(call, PLAIN) for _ in range(2)]
    assert [answer.status for answer in answers] == [200, 429]
    assert "very often" in answers[1].body.decode()
    assert len(fake.asked) == 1
    await stage.drain()
    assert {run.trigger async for run in Execution.objects.filter(status="success")} == {"form"}


async def test_an_interceptor_that_wants_a_key_closes_a_public_form(
    call: Any, start: Any, fake: Fake
) -> None:
    await start(head=b"interceptors:\n  - auth: {required: true}\n")
    answer = await send(call, PLAIN)
    assert (answer.status, fake.asked) == (401, [])
