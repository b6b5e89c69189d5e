"""How a proxy is to behave: one table of settings, from a file, the environment and flags.

A setting is a key of a TOML file, a variable (``AUGURY_PROXY_MAX_OBJECT`` for ``max_object``) or a
flag of ``augury proxy``; flags win over variables, variables over the file.
"""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from augury.capacity import Capacity
from augury.errors import CapacityError, ConfigError

__all__ = ["Settings", "read_bytes", "read_settings"]

PREFIX = "AUGURY_PROXY_"
TRUE, FALSE = ("1", "true", "yes", "on"), ("0", "false", "no", "off")


@dataclass(frozen=True, slots=True)
class Settings:
    """See the module. Seconds, and bytes as numbers or text with a unit.

    Raises:
        ConfigError: A setting cannot be.
        CapacityError: A size cannot be.
    """

    #: http:// or https:// and a host; a path is put before every target.
    origin: str
    listen: str = "127.0.0.1:8080"
    #: Where health and metrics are, and PURGE is taken from everybody; nowhere if empty.
    admin: str = ""
    memory: str = "256 MB"
    policy: str = "auto"
    #: Fetches ahead of demand as a share of those on demand; 0 for none.
    prefetch: float = 0.0
    refresh_ahead: float = 0.0
    #: Bytes of a body that is stored.
    max_object: str = "8 MB"
    #: Seconds an answer is fresh at most where its origin does not say, by its Last-Modified.
    heuristic_max: float = 86_400.0
    #: Seconds that a stale answer which can be validated stays.
    keep_stale: float = 86_400.0
    #: Seconds past its freshness in which an answer is served while the origin cannot be reached.
    stale_if_error: float = 60.0
    #: Whether the Cache-Control of requests is obeyed: anybody can go past the cache then.
    client_control: bool = True
    #: Whether answers that set cookies are stored like any other.
    store_cookies: bool = False
    #: Whether the origin is sent the Host of the client in place of its own.
    preserve_host: bool = False
    #: Hosts that are answered for, commas between them; all if empty.
    hosts: str = ""
    #: Whether the proxy stands behind another one, whose X-Forwarded-* are true.
    behind_proxy: bool = False
    #: What must be in `Authorization: Bearer` to purge from another machine; nobody can if empty.
    purge_token: str = ""
    connect_timeout: float = 5.0
    #: Seconds of silence of the origin.
    origin_timeout: float = 60.0
    #: Seconds of silence of a client that sends a request or reads an answer.
    client_timeout: float = 30.0
    keep_alive: float = 20.0
    #: Seconds in which requests under way may end when the proxy is stopped.
    grace: float = 10.0
    #: Connections to the origin, and requests of clients, at a time.
    connections: int = 100
    max_clients: int = 4_096
    #: Bytes of the head of a request, and of its body.
    max_head: str = "32 KiB"
    max_body: str = "100 MB"
    #: The file of an authority that vouches for an https origin, in place of the system's.
    origin_ca: str = ""
    #: Whether the certificate of an https origin is checked.
    verify: bool = True
    #: Where a line is written for every request; `-` is standard output; nowhere if empty.
    access_log: str = ""
    json: bool = False
    #: The proxy in Via and Cache-Status.
    name: str = "augury"

    def __post_init__(self) -> None:
        for setting in ("connect_timeout", "origin_timeout", "client_timeout", "keep_alive"):
            check_number(setting, getattr(self, setting), 1e-3, 86_400)
        for setting in ("heuristic_max", "keep_stale", "stale_if_error", "grace"):
            check_number(setting, getattr(self, setting), 0, 31_536_000)
        for setting in ("prefetch", "refresh_ahead"):
            check_number(setting, getattr(self, setting), 0, 10)
        for setting in ("connections", "max_clients"):
            check_number(setting, getattr(self, setting), 1, 1_000_000)
        for setting in ("max_object", "max_head", "max_body"):
            read_bytes(setting, getattr(self, setting))
        if not self.name.isascii() or not self.name.replace("-", "").isalnum():
            raise ConfigError(f"name {self.name!r}: expected letters, digits and hyphens")

    @property
    def largest_object(self) -> int:
        """Bytes of a body that is stored."""
        return read_bytes("max_object", self.max_object)

    @property
    def own_hosts(self) -> frozenset[bytes]:
        """Those that are answered for; all if there are none."""
        named = (host.strip().lower().encode("idna") for host in self.hosts.split(","))
        return frozenset(host for host in named if host)


def check_number(name: str, number: object, least: float, most: float) -> None:
    """Refuse what is no number between."""
    is_number = isinstance(number, int | float) and not isinstance(number, bool)
    if not is_number or not least <= number <= most:  # type: ignore[operator]
        raise ConfigError(f"{name} {number!r}: expected a number from {least:g} to {most:,g}")


def read_bytes(name: str, text: str) -> int:
    """Bytes of a size as people write it.

    >>> read_bytes("max_object", "8 MB"), read_bytes("max_head", "512")
    (8000000, 512)
    """
    try:
        return Capacity.parse(text if not text.isdigit() else int(text)).for_cache()
    except (CapacityError, ConfigError) as error:
        raise CapacityError(f"{name} {text!r}: expected bytes, as in 8 MB or 512 KiB") from error


def read_settings(
    path: str | None, given: Mapping[str, Any], environment: Mapping[str, str] | None = None
) -> Settings:
    """Those of a file, of variables and of flags, where a flag of None was not given.

    Raises:
        ConfigError: One is unknown or cannot be, the file cannot be read, or there is no origin.
        CapacityError: A size cannot be.
    """
    kinds = {field.name: field.type for field in fields(Settings)}
    found: dict[str, Any] = {}
    for name, value in from_file(path).items() if path else ():
        if name.replace("-", "_") not in kinds:
            known = ", ".join(sorted(kinds))
            raise ConfigError(f"{path}: {name!r} is no setting; they are {known}")
        found[name.replace("-", "_")] = value
    for variable, text in (os.environ if environment is None else environment).items():
        if not variable.startswith(PREFIX):
            continue
        name = variable.removeprefix(PREFIX).lower()
        if name == "config":
            continue
        if name not in kinds:
            raise ConfigError(f"{variable}: there is no setting {name!r}")
        found[name] = text
    found |= {name: value for name, value in given.items() if value is not None}
    if not found.get("origin"):
        raise ConfigError("there is no origin: give --origin http://HOST:PORT")
    whole: dict[str, Any] = {
        name: as_kind(name, value, kinds[name]) for name, value in found.items()
    }
    return Settings(**whole)


def from_file(path: str) -> dict[str, Any]:
    """The keys of a TOML file."""
    try:
        with open(path, "rb") as file:
            return tomllib.load(file)
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path}: no settings can be read from it ({error})") from error


def as_kind(name: str, value: object, kind: object) -> object:
    """A value of a file or a variable as the setting wants it."""
    if kind is bool:
        if isinstance(value, bool):
            return value
        text = str(value).lower()
        if text in (*TRUE, *FALSE):
            return text in TRUE
        raise ConfigError(f"{name} {value!r}: expected yes or no")
    if kind in (int, float):
        try:
            if isinstance(value, str) and value.endswith("%") and kind is float:
                return float(value[:-1]) / 100
            return int(str(value)) if kind is int else float(str(value))
        except ValueError:
            raise ConfigError(f"{name} {value!r}: expected a number") from None
    if isinstance(value, list):
        return ",".join(map(str, value))
    return str(value)
