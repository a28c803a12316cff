"""The header Retry-After: seconds, or the moment as an HTTP date."""

import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

LONGEST_S = 3600.0  # that a server may ask us to wait


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait; None when the server does not say, or nothing that can be understood."""
    text = headers.get("retry-after", "").strip()
    if not text:
        return None
    try:
        wait = float(text) if text[0].isdigit() else parsedate_to_datetime(text).timestamp() - time.time()
    except (ValueError, OverflowError, TypeError):
        return None
    return min(max(0.0, wait), LONGEST_S)
