"""REST of the billing floor."""

from ninja import Router

router = Router()
