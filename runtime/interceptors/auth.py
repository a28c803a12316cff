"""auth: who calls. Keys of the tenant were checked at the door; other tokens are checked here, and doubt refuses."""

from billing.errors import ApiError
from runtime.answer import Reply
from runtime.interceptors.cells import Cell
from runtime.interceptors.invocation import STRANGER, Invocation, refusal
from runtime.interceptors.link import Link
from runtime.interceptors.tokens import Verify

NOBODY = ApiError(401, "Send a token as “Authorization: Bearer …”.", headers={"WWW-Authenticate": "Bearer"})
INVALID = ApiError(
    401, "This token is not valid here.", headers={"WWW-Authenticate": 'Bearer error="invalid_token"'}
)
NOT_READY = ApiError(503, "Tokens cannot be checked: this endpoint's auth lacks its secret.")


class Auth(Link):
    """``verify`` is None for the tenant's keys alone; ``ready`` is False when the secret cannot be used."""

    def __init__(
        self, cell: Cell, verify: Verify | None = None, *, required: bool = True, ready: bool = True
    ) -> None:
        super().__init__(cell)
        self.verify, self.required, self.ready = verify, required, ready

    def before(self, call: Invocation) -> Reply | None:
        if call.caller and call.caller is not STRANGER:
            return None
        token = call.asked.token
        if token is None and not self.required:
            return None
        if not self.ready:
            return refusal(NOT_READY)
        if token is None or self.verify is None:
            return refusal(NOBODY)
        proof = self.verify(token)
        if proof is None:
            return refusal(INVALID)
        call.known_as(proof.caller, proof.identity)
        call.claims = proof.claims
        return None
