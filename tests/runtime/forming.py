"""A prompt with a form of every kind of field, and what a browser would send of it."""

import html
import re
from typing import Any
from urllib.parse import urlencode

from tests.runtime.stage import Answer

FORM = """---
id: ticket
name: Answer a ticket
version: 1.0.0
description: Drafts an answer to a customer
parameters:
  - {{name: subject, required: true, minLength: 3, maxLength: 80, description: What it is about, example: Late parcel}}
  - {{name: message, required: true, maxLength: 4000}}
  - {{name: tone, enum: [warm, neutral, brief], default: warm}}
  - {{name: order_id, pattern: '^[A-Z]{{2}}-[0-9]{{4}}$', error_message: Write it as AB-1234}}
  - {{name: stars, type: integer, minimum: 1, maximum: 5}}
  - {{name: urgent, type: boolean}}
  - {{name: topics, type: array, enum: [parcel, payment, account], maxItems: 2}}
  - {{name: extra, type: object}}
  - {{name: log, type: file, maxLength: 2000}}
form:
  {form}
---
{{{{ subject }}}}/{{{{ message }}}}/{{{{ tone }}}}/{{{{ stars }}}}/{{{{ urgent }}}}/
{{{{- (topics or []) | join("+") }}}}/{{{{ log }}}}
"""
PLAIN = {"subject": "Late parcel", "message": "Where is it?"}
WEB = {"content_type": "application/x-www-form-urlencoded"}


def prompt(form: str = "public: true") -> bytes:
    return FORM.format(form=form.replace("\n", "\n  ")).encode()


def token(page: Answer) -> str:
    found = re.search(r'name="_token" value="([^"]+)"', page.body.decode())
    assert found, page.body
    return html.unescape(found[1])


def encoded(token: str, values: dict[str, Any], **own: str) -> bytes:
    sent = {"_token": token, "_website": "", **own, **{f"p-{name}": value for name, value in values.items()}}
    return urlencode(sent, doseq=True).encode()


def parts(token: str, values: dict[str, str], files: dict[str, bytes]) -> tuple[bytes, str]:
    """As multipart/form-data: the body and its type."""
    edge = b"--edge"
    made = [
        b'Content-Disposition: form-data; name="%s"\r\n\r\n%s' % (name.encode(), value.encode())
        for name, value in {"_token": token, **{f"p-{name}": value for name, value in values.items()}}.items()
    ]
    made += [
        b'Content-Disposition: form-data; name="p-%s"; filename="f"\r\nContent-Type: x/y\r\n\r\n%s'
        % (name.encode(), data)
        for name, data in files.items()
    ]
    body = b"".join(edge + b"\r\n" + part + b"\r\n" for part in made) + edge + b"--\r\n"
    return body, "multipart/form-data; boundary=edge"
