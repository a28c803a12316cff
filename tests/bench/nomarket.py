"""`python -m tests.bench.nomarket --port P`: an edge process without a market, for the bench to compare with."""

import sys

import django

from priostack import edge

if __name__ == "__main__":
    django.setup()
    from tests.bench.idle import off  # models need the apps to be loaded

    with off():
        edge.main(sys.argv[1:])
