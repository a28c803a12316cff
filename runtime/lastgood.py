"""The last good answers of calls whose contract degrades: given again when the market has nothing for them (R32).

In this process alone, a few thousand of them: an answer that nobody kept is a 503.
"""

from collections import OrderedDict

from runtime.answer import Reply
from runtime.job import Job

MOST = 2_000
LARGEST = 64 * 1024
_kept: OrderedDict[tuple[str, int, str, str, bytes], Reply] = OrderedDict()


def key(job: Job) -> tuple[str, int, str, str, bytes]:
    """The same request of the same caller: all that a function is told but for the id of its run."""
    told = job.request.rpartition(b',"tenant":')[0]
    return job.bundle.id, job.bundle.revision, job.name, job.caller, told


def keep(job: Job, reply: Reply) -> None:
    if reply.error or reply.status >= 400 or len(reply.body) > LARGEST:
        return
    found = key(job)
    _kept[found] = reply
    _kept.move_to_end(found)
    if len(_kept) > MOST:
        _kept.popitem(last=False)


def find(job: Job) -> Reply | None:
    return _kept.get(key(job))
