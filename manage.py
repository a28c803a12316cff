#!/usr/bin/env python3
"""PrioStack's command line; `manage.py up` starts everything."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "priostack.settings")
    if sys.argv[1:2] == ["up"]:
        # Half a second sooner: this command needs the settings, but nothing of Django.
        from priostack.up import main as up

        sys.exit(up(sys.argv[2:]))
    from django.core.management import execute_from_command_line
    from django.db import OperationalError

    try:
        execute_from_command_line(sys.argv)
    except OperationalError as problem:
        sys.exit(f"The database cannot be used: {problem}".strip())


if __name__ == "__main__":
    main()
