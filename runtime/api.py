"""REST of the runtime floor."""

from ninja import Router

router = Router()
