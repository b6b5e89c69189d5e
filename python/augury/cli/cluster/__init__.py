"""``augury cluster``: watch a cluster's slots, forecast their load, plan moves, apply them."""

from augury.cli.cluster.app import app

__all__ = ["app"]
