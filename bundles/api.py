"""REST of the bundles floor."""

from ninja import Router

router = Router()
