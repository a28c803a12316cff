"""Refuses an upload that is too large while it arrives, before it fills a disk."""

from typing import IO, Any

from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadhandler import FileUploadHandler

MAX_UPLOAD = 64 * 1024 * 1024  # all files of one request; a bundle's own limits are narrower and say more


class Quota(FileUploadHandler):
    """Stands first in FILE_UPLOAD_HANDLERS; counts, and hands every chunk on."""

    def handle_raw_input(
        self,
        input_data: IO[bytes],
        META: dict[str, Any],
        content_length: int,
        boundary: Any,
        encoding: Any = None,
    ) -> None:
        self.arrived = 0
        self._check(content_length)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        self.arrived += len(raw_data)
        self._check(self.arrived)
        return raw_data

    def file_complete(self, file_size: int) -> None:
        return None

    def _check(self, size: int) -> None:
        if size > MAX_UPLOAD:
            raise RequestDataTooBig(f"uploads are limited to {MAX_UPLOAD} bytes")
