"""The access log: a line for every request, as text or JSON."""

import json
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, TextIO

from augury.errors import ConfigError

__all__ = ["AccessLog"]

#: Characters of a target that are logged.
LONGEST_TARGET = 2_048


class AccessLog:
    """Writes lines to a file, or to standard output.

    Args:
        path: The file, to whose end is written; `-` for standard output.
        is_json: Whether lines are JSON.

    Raises:
        ConfigError: The file cannot be written to.
    """

    def __init__(self, path: str, is_json: bool) -> None:
        self._is_json = is_json
        self._file: TextIO = sys.stdout
        if path != "-":
            try:
                self._file = open(path, "a", encoding="utf-8", buffering=1)  # noqa: SIM115
            except OSError as error:
                raise ConfigError(f"access_log {path!r}: cannot be written ({error})") from error

    def write(
        self,
        scope: Mapping[str, Any],
        status: int,
        sent: int,
        label: str,
        seconds: float,
        now: float,
    ) -> None:
        """One request: its status is 0 where the client left before there was one."""
        client = (scope.get("client") or ("-",))[0]
        target = (scope.get("raw_path") or b"").decode("latin-1")
        if scope.get("query_string"):
            target += "?" + scope["query_string"].decode("latin-1")
        target = target[:LONGEST_TARGET]
        when = datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds")
        if self._is_json:
            line = json.dumps(
                {
                    "time": when,
                    "client": client,
                    "method": scope["method"],
                    "target": target,
                    "status": status,
                    "bytes": sent,
                    "cache": label,
                    "seconds": round(seconds, 6),
                }
            )
        else:
            shown = target.encode("ascii", "backslashreplace").decode("ascii")
            line = (
                f"{when} {client} {scope['method']} {shown} {status} {sent} {label} {seconds:.6f}"
            )
        print(line, file=self._file)

    def close(self) -> None:
        """Complete the file."""
        if self._file is not sys.stdout:
            self._file.close()
