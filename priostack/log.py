"""Logging of the platform itself: one JSON object a line, for people instead when stderr is a terminal.

Every entry carries the correlation id of its request and whatever was bound by structlog.contextvars, such as
`execution`; keys and values that look like secrets are masked, wherever they stand.
"""

import logging
import logging.config
import re
import sys
from typing import Any

# structlog loads rich and twisted, where they are, for what we never ask of it: 160 modules less in each process.
_spared = [name for name in ("rich", "twisted") if name not in sys.modules]
sys.modules.update(dict.fromkeys(_spared))  # type: ignore[arg-type]  # None there: it cannot be imported

import structlog  # noqa: E402
from structlog.typing import EventDict, Processor  # noqa: E402

for _name in _spared:
    del sys.modules[_name]

MASK = "•••"
SECRET_NAME = re.compile(
    r"authorization|cookie|passw|secret|token|api_?key|credential|signature|sessionid|csrf", re.IGNORECASE
)
SECRET_TEXT = re.compile(
    r"(?P<key>\bps_)[\w-]{16,}"
    r"|(?P<bearer>\b(?:bearer|basic)\s+)[\w.~+/=-]{8,}"
    r"|(?P<url>://[^\s/:@]*:)[^\s/@]+(?=@)"
    r"|(?P<pair>\b(?:password|passwd|secret|token|api_?key)\"?\s?[=:]\s?\"?)[^\s\"'&,;}]{4,}",
    re.IGNORECASE,
)
MAX_DEPTH = 5


def masked(value: Any, depth: int = 0) -> Any:
    """``value`` without secrets; what is nested deeper than anybody logs is not shown at all."""
    if isinstance(value, str):
        return SECRET_TEXT.sub(lambda found: (found[found.lastgroup or 0] or "") + MASK, value)
    if depth >= MAX_DEPTH:
        return MASK
    if isinstance(value, dict):
        return {k: MASK if SECRET_NAME.search(str(k)) else masked(v, depth + 1) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [masked(item, depth + 1) for item in value]
    return value


def mask(logger: Any, method: str, entry: EventDict) -> EventDict:
    result: EventDict = masked(dict(entry))
    return result


def correlate(logger: Any, method: str, entry: EventDict) -> EventDict:
    # Read late: settings configure logging before Django's parts can be imported.
    from priostack.middleware import correlation

    if chosen := correlation.get():
        entry.setdefault("correlation", chosen)
    return entry


def before() -> list[Processor]:
    """What every entry passes, ours and those of libraries."""
    return [
        structlog.contextvars.merge_contextvars,
        correlate,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]


def formatter(*, human: bool) -> structlog.stdlib.ProcessorFormatter:
    plain = structlog.dev.plain_traceback
    render: Processor = (
        structlog.dev.ConsoleRenderer(colors=True, exception_formatter=plain)
        if human
        else structlog.processors.JSONRenderer(default=str)
    )
    # The traceback becomes text before the mask, so that what an exception quotes is masked too.
    meta = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    last: list[Processor] = [meta, structlog.processors.format_exc_info]
    return structlog.stdlib.ProcessorFormatter(foreign_pre_chain=before(), processors=[*last, mask, render])


def configure(*, human: bool | None = None, level: str = "INFO") -> None:
    """Everything to stderr; repeating it changes nothing."""
    chosen = sys.stderr.isatty() if human is None else human
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {"ours": {"()": formatter, "human": chosen}},
            "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "ours"}},
            "root": {"handlers": ["stderr"], "level": level},
            # One line for each request is the server's choice; Django only speaks of what went wrong.
            "loggers": {"django.request": {"level": "ERROR"}, "httpx": {"level": "WARNING"}},
        }
    )
    structlog.configure(
        processors=[*before(), structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
