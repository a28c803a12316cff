"""REST of the billing floor: one router for each subject."""

from ninja import Router

from billing.api_audit import router as audit
from billing.api_keys import router as keys
from billing.api_me import router as me
from billing.api_members import router as members
from billing.api_secrets import router as secrets
from billing.api_vars import router as variables
from billing.api_wallet import router as wallet

router = Router(tags=["account"])
for subject in (me, keys, secrets, variables, members, wallet, audit):
    router.add_router("", subject)
