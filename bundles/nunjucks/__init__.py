"""Nunjucks 3.2.4 in Python: parsed once into closures, with JavaScript's values, and limits against hostile templates."""

from bundles.nunjucks.errors import TemplateError
from bundles.nunjucks.limits import Limits
from bundles.nunjucks.template import Template

__all__ = ["Limits", "Template", "TemplateError"]
