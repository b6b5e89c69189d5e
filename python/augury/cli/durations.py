"""Times as people write them on a command line."""

import re

from augury.errors import ConfigError

__all__ = ["read_duration"]

UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0}


def read_duration(text: str | None) -> float | None:
    """Seconds.

    Raises:
        ConfigError: it is no time.

    >>> read_duration("1.5m")
    90.0
    """
    if text is None:
        return None
    found = re.fullmatch(r"(\d{1,9}(?:\.\d{1,9})?)([smh]?)", text.strip().lower())
    if found is None:
        raise ConfigError(f"duration {text!r}: expected a time such as 90, 30s, 10m or 2h")
    return float(found[1]) * UNITS[found[2]]
