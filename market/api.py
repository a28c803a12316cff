"""REST of the market floor."""

from ninja import Router

router = Router()
