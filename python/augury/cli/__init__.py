"""The command ``augury``: reads arguments, calls the package, prints. No logic of its own."""

import sys

__all__ = ["main"]


def main() -> None:
    """Run the command; quiet when interrupted before it has begun."""
    try:
        from augury.cli import app

        app.main()
    except KeyboardInterrupt:
        sys.exit(130)
