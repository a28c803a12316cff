"""compression({threshold, level}): answers as gzip for callers that take it, instead of the usual packing."""

import gzip
from dataclasses import replace

from runtime.answer import Reply
from runtime.interceptors.cells import Cell
from runtime.interceptors.invocation import Invocation
from runtime.interceptors.link import Link
from runtime.reply import takes_gzip, textual

THRESHOLD = 1024
LEVEL = 6
LARGE = 256 * 1024  # bytes from which the level is LEAST at most: others wait while one answer is packed
LEAST = 5


class Compression(Link):
    optional = True

    def __init__(self, cell: Cell, threshold: int = THRESHOLD, level: int = LEVEL) -> None:
        super().__init__(cell)
        self.threshold, self.level = threshold, level

    def after(self, call: Invocation, reply: Reply) -> Reply:
        call.unpacked = True
        if len(reply.body) < self.threshold or not (takes_gzip(call.asked) and textual(reply.content_type)):
            return reply
        level = self.level if len(reply.body) < LARGE else min(self.level, LEAST)
        headers = [*(reply.headers or ()), ("content-encoding", "gzip"), ("vary", "accept-encoding")]
        return replace(reply, body=gzip.compress(reply.body, level), headers=headers)
