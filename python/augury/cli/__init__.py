"""The command ``augury``: reads arguments, calls the package, prints. No logic of its own."""

from augury.cli.app import main

__all__ = ["main"]
