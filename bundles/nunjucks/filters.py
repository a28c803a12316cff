"""All filters by name; those of prompts come before built-in ones of the same name."""

from bundles.nunjucks.datafilters import DATA_FILTERS
from bundles.nunjucks.listfilters import LIST_FILTERS
from bundles.nunjucks.textfilters import TEXT_FILTERS

FILTERS = {**TEXT_FILTERS, **LIST_FILTERS, **DATA_FILTERS}
