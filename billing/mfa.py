"""What second factors are made of lies sealed: seeds of codes in a backup or a stolen database open nothing."""

from base64 import b64decode, b64encode

from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator

from billing.seal import is_stale, seal, unseal

PLACE = "second factor"
MARK = "sealed:"


class Adapter(DefaultMFAAdapter):
    def encrypt(self, text: str) -> str:
        return MARK + b64encode(seal(text.encode(), PLACE)).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """What was written before there were seals is as it was."""
        if not encrypted_text.startswith(MARK):
            return encrypted_text
        return unseal(b64decode(encrypted_text.removeprefix(MARK)), PLACE).decode()


def reseal() -> int:
    """Under the newest key, and also what was never sealed; how many factors it were."""
    adapter, count = Adapter(), 0
    for row in Authenticator.objects.all():
        fresh = {
            name: adapter.encrypt(adapter.decrypt(text))
            for name in ("secret", "seed")
            if (text := row.data.get(name)) and waits(text)
        }
        # compared and set: a code that is used meanwhile stays used
        changed = fresh and Authenticator.objects.filter(pk=row.pk, data=row.data).update(
            data=row.data | fresh
        )
        count += bool(changed)
    return count


def waits(text: str) -> bool:
    return not text.startswith(MARK) or is_stale(b64decode(text.removeprefix(MARK)))
