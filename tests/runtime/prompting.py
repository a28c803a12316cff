"""A bundle of prompts and a language model's server for them, both real."""

from typing import Any

from billing import secrets
from tests.fakes.llm import Fake

KEY = "sk-canary-9876543210"
HELLO = """---
id: hello
name: Hello
version: 1.0.0
description: Greets somebody
{more}
parameters:
  - {{name: who, type: string, required: true, maxLength: 40}}
  - {{name: times, type: integer, default: 1, minimum: 1, maximum: 5}}
---
{body}
"""
BODY = "# System\n\nBe brief.\n\n# User\n\nGreet {{ who }}{% for n in range(times) %}!{% endfor %}"


def hello(body: str = BODY, *more: str) -> bytes:
    return HELLO.format(body=body, more="\n".join(more)).encode()


def files(
    fake: Fake, more: dict[str, bytes] | None = None, extra: str = "", backend: str = ""
) -> dict[str, bytes]:
    where = f"base_url: '{fake.url}/v1', model: gpt-5-mini, {backend}"
    mine = f"{{provider: openai, name: mine, api_key_env: LLM_KEY, {where}}}"
    head = f"name: talk\nllm: {{retries: 1, retry_base_delay: 0.01, backends: [{mine}]}}\n{extra}"
    return {"bundle.yaml": head.encode(), "prompts/hello.prmd": hello(), **(more or {})}


def keep_key(person: Any, settings: Any, fake: Fake) -> None:
    settings.EGRESS_ALLOW = [fake.place]
    secrets.put(person.tenant, "LLM_KEY", KEY.encode(), ["127.0.0.1"])
