"""Nunjucks 3.2.4 in Python: parsed once into closures, with JavaScript's values, and limits against hostile templates.

Set as prompts use it: autoescape and throwOnUndefined off, trimBlocks and lstripBlocks on, the filters of datafilters.py
added. Compared with the real one by some 100,000 generated templates; what is left, all of it meant or not worth more:
- methods and names of the host are never reached: `constructor`, `__proto__` and the like are undefined unless a value
  has them as its own; a function prints as `[function]`; safe texts do not list the methods of String
- methods that change a list (push, sort, reverse …) work on a copy of the given values, and only by their written name
- `include` works inside of `case`, of the `else` of a loop and of `set` in a loop, where the real one makes code that does
  not run; `{% for loop in … %}`, names with a quote or a backslash, asyncEach and asyncAll are refused; `ifAsync` is `if`
- calling a method of a text that is written with a newline works, which in the real one is a syntax error
- a match of a regex has no `index`; regexes are counted in steps, so that some which are slow fail here
- localeCompare knows no language; powers may differ from V8's in the last digit
- values nested deeper than 100 levels, calls deeper than 40 and sources nested deeper than 60 are refused
"""

from bundles.nunjucks.errors import TemplateError
from bundles.nunjucks.limits import Limits
from bundles.nunjucks.template import Template

__all__ = ["Limits", "Template", "TemplateError"]
