"""What a browser sent of a form: its fields and files, and the values of a prompt's parameters that they mean."""

import base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any
from urllib.parse import parse_qsl

from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.files.uploadhandler import FileUploadHandler
from django.http.multipartparser import MultiPartParser, MultiPartParserError

from billing.errors import ApiError
from bundles.formfields import Input, file_limit, size, text_of

MAX_FIELDS = 1_000
PLAIN, PARTS = "application/x-www-form-urlencoded", "multipart/form-data"


@dataclass(slots=True)
class Sent:
    """Texts by the name of the field, in their order; files with their bytes."""

    texts: dict[str, list[str]] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)

    def last(self, name: str) -> str:
        return self.texts.get(name, [""])[-1]


class InMemory(FileUploadHandler):
    """Files are as short as the body, which was read already."""

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self.parts: list[bytes] = []

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        self.parts.append(raw_data)

    def file_complete(self, file_size: int) -> SimpleUploadedFile:
        return SimpleUploadedFile("file", b"".join(self.parts))


def read(data: bytes, headers: Mapping[str, str]) -> Sent:
    """ApiError 415 for what no form sends, 400 for what cannot be read, 413 for too much of it."""
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if headers.get("content-encoding", "identity") != "identity" or kind not in (PLAIN, PARTS):
        raise ApiError(415, "A form is sent as browsers send it.")
    try:
        return _parts(data, headers) if kind == PARTS else _plain(data)
    except (MultiPartParserError, ValueError):
        raise ApiError(400, "What was sent cannot be read.") from None
    except (TooManyFieldsSent, TooManyFilesSent, RequestDataTooBig):
        raise ApiError(413, "What was sent has too many fields or is too long.") from None


def _plain(data: bytes) -> Sent:
    sent = Sent()
    text = data.decode("ascii")
    for name, value in parse_qsl(text, keep_blank_values=True, max_num_fields=MAX_FIELDS, errors="strict"):
        sent.texts.setdefault(name, []).append(value)
    return sent


def _parts(data: bytes, headers: Mapping[str, str]) -> Sent:
    meta = {"CONTENT_TYPE": headers["content-type"], "CONTENT_LENGTH": str(len(data))}
    texts, files = MultiPartParser(meta, BytesIO(data), [InMemory()], "utf-8").parse()
    found = {name: texts.getlist(name) for name in texts}
    return Sent(found, {name: files.getlist(name)[-1].read() for name in files})


@dataclass(slots=True)
class Meant:
    """Values for the check of the prompt's parameters; ``errors`` of files, by the name of the parameter."""

    given: dict[str, Any] = field(default_factory=dict)
    errors: list[dict[str, str]] = field(default_factory=list)


def meant(sent: Sent, inputs: Iterable[Input], *, own: Iterable[str], max_bytes: int) -> Meant:
    """Fields that the form does not have are kept, so that the check names them."""
    result, known = Meant(), {one.name: one for one in inputs}
    for name, texts in sent.texts.items():
        if name in known:
            value = _value(known[name], [text.replace("\r\n", "\n") for text in texts])
            if value is not None:
                result.given[known[name].parameter.name] = value
        elif name not in own:
            result.given[name.removeprefix("p-")] = texts[-1]
    for name, data in sent.files.items():
        if name in known and known[name].control == "file":
            _take_file(known[name], data, result, max_bytes=max_bytes)
        else:
            result.given[name.removeprefix("p-")] = ""
    return result


def _value(one: Input, texts: list[str]) -> Any:
    """The text, or the choice that it stands for; None when it says nothing."""
    if one.control == "file":
        return None if not texts[-1] else texts[-1]
    if one.control in ("select", "checks"):
        choices = {text_of(choice): choice for choice in one.parameter.enum}
        if one.control == "select":
            return choices.get(texts[-1], texts[-1])
        return [choices.get(text, text) for text in texts if text or "" in choices]
    return texts[-1]


def _take_file(one: Input, data: bytes, result: Meant, *, max_bytes: int) -> None:
    name, most = one.parameter.name, file_limit(one.parameter, max_bytes)
    if len(data) > most:
        result.errors.append({"path": name, "message": f"has {size(len(data))}, the limit is {size(most)}"})
    elif one.parameter.type == "base64":
        result.given[name] = base64.b64encode(data).decode()
    else:
        try:
            result.given[name] = data.decode("utf-8-sig").replace("\r\n", "\n")
        except UnicodeDecodeError:
            result.errors.append({"path": name, "message": "must be a text file in UTF-8"})
