"""A bundle whose endpoints have interceptors, over real HTTP or in this process, and tokens to call it with."""

import time
from typing import Any

import jwt

from bundles.models import Bundle
from tests.guests import guest
from tests.runtime import stage

KEY = "a shared key of more than sixty-four characters, as the longest of the hashes wants it"
HEAD = """
name: shop
services:
  - name: shop
    resourceContract: {{computeUnits: 20000}}
    api:
      basePath: /api/shop
      interceptors: {api}
      endpoints:
"""
ENDPOINT = "        - {{name: {name}, method: {method}, path: /{name}, auth: {auth}, to: '{to}', interceptors: {own}}}\n"


def files(
    *endpoints: str, api: str = "[]", modules: tuple[str, ...] = ("echo", "counter", "spin", "trapper")
) -> dict[str, bytes]:
    text = HEAD.format(api=api) + "".join(endpoints)
    return {"bundle.yaml": text.encode()} | {f"wasm/{name}.wasm": guest(name) for name in modules}


def endpoint(
    name: str, own: str, to: str = "wasm:echo:run", *, auth: str = "key", method: str = "POST"
) -> str:
    return ENDPOINT.format(name=name, own=own, to=to, auth=auth, method=method)


def run(person: Any, *endpoints: str, api: str = "[]") -> Bundle:
    return stage.run_bundle(person, files(*endpoints, api=api))


def token(key: Any = KEY, algorithm: str = "HS256", **claims: Any) -> str:
    """A signed token that is good for a minute."""
    told = {"sub": "ann", "exp": int(time.time()) + 60, **claims}
    return jwt.encode({name: value for name, value in told.items() if value is not None}, key, algorithm)
