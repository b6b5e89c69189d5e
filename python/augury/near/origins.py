"""What a near cache needs of the client that it is given, whichever library it is from.

Addresses, how to connect as the client does, and the verbs under one name each. The libraries are
recognised by the modules of the client's classes and imported only to connect: redis-py and
valkey-py, plain and asyncio, one server or a cluster; valkey-glide, whose clients connect in a core
of their own, with redis-py or valkey-py for the tracking connections.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from augury.errors import ConfigError
from augury.extras import require
from augury.near.topology import Address

if TYPE_CHECKING:
    import socket

__all__ = ["Origin", "origin_of"]

#: Seconds for a connection and its handshake, where the client does not say less.
CONNECT_SECONDS = 5.0
#: What a tracking connection takes over from the client's: who it is, and how it is protected.
KEPT = {
    "host", "port", "path", "db", "username", "password", "credential_provider", "client_name",
    "socket_keepalive", "socket_keepalive_options", "socket_type", "ssl_keyfile", "ssl_certfile",
    "ssl_cert_reqs", "ssl_ca_certs", "ssl_ca_data", "ssl_ca_path", "ssl_check_hostname",
    "ssl_password", "ssl_min_version", "ssl_ciphers", "ssl_include_verify_flags",
    "ssl_exclude_verify_flags", "ssl_validate_ocsp", "ssl_validate_ocsp_stapled",
    "ssl_ocsp_context", "ssl_ocsp_expected_cert",
}  # fmt: skip
#: The address of a server behind a Unix socket: its path, and no port.
NO_PORT = 0


@dataclass(slots=True)
class Origin:
    """A client, seen from a near cache."""

    client: Any
    start: list[Address]
    is_cluster: bool
    is_async: bool
    dial: "Callable[[Address], socket.socket]"
    #: Values as the client returns them.
    decode: Callable[[bytes], Any]
    #: Several values by one call, in the order of the keys.
    read_many: Callable[[list[Any]], Any]
    write_many: Callable[[Mapping[Any, Any]], Any]
    delete: Callable[[Iterable[Any]], Any]
    #: Whom the client asks for a slot, as the cluster calls it; None where that cannot be told.
    owner_of: Callable[[int], Address | None] = lambda slot: None


def origin_of(client: Any) -> Origin:
    """The client of a known library.

    Raises:
        ConfigError: It is none, or one that the tracking connections cannot be made for.
    """
    for kind in type(client).__mro__:
        library, _, rest = kind.__module__.partition(".")
        name = kind.__name__
        if library in {"redis", "valkey"} and name in {"Redis", "Valkey"}:
            return of_server(client, library, rest.startswith("asyncio"))
        if library in {"redis", "valkey"} and name in {"RedisCluster", "ValkeyCluster"}:
            return of_cluster(client, library, rest.startswith("asyncio"))
        if library in {"glide", "glide_sync"} and name in {"GlideClient", "GlideClusterClient"}:
            return of_glide(client, name == "GlideClusterClient", library == "glide")
    raise ConfigError(
        f"client {type(client).__module__}.{type(client).__name__}: expected one of redis-py, "
        "valkey-py or valkey-glide, for one server or a cluster"
    )


def of_server(client: Any, library: str, is_async: bool) -> Origin:
    """`Redis` and `Valkey`."""
    pool = client.connection_pool
    settings = dict(pool.connection_kwargs)
    if "host" not in settings and "path" not in settings:
        raise ConfigError(
            f"client {client!r}: its connection pool does not say where the server is; a near "
            "cache needs a client with host and port, or a Unix socket"
        )
    start = (settings.get("path") or settings["host"], settings.get("port", NO_PORT))
    dial = dialler(library, pool.connection_class.__name__, settings)
    return Origin(
        client, [start], False, is_async, dial, decoder(settings),
        read_many=client.mget,
        write_many=client.mset,
        delete=lambda keys: client.delete(*keys),
    )  # fmt: skip


def of_cluster(client: Any, library: str, is_async: bool) -> Origin:
    """`RedisCluster` and `ValkeyCluster`."""
    manager = client.nodes_manager
    nodes = [*manager.nodes_cache.values(), *manager.startup_nodes.values()]
    if not nodes:
        raise ConfigError(f"client {client!r}: it knows no node of the cluster")
    if is_async:
        settings, kind = dict(client.connection_kwargs), nodes[0].connection_class.__name__
    else:
        name = f"{library}_connection"
        known = next((getattr(node, name) for node in nodes if getattr(node, name, None)), None)
        if known is None:
            raise ConfigError(f"client {client!r}: it has no connection to any node yet")
        pool = known.connection_pool
        settings, kind = dict(pool.connection_kwargs), pool.connection_class.__name__
    remap = getattr(manager, "address_remap", None)
    dial = dialler(library, kind, settings, remap)
    return Origin(
        client, [(node.host, int(node.port)) for node in nodes], True, is_async, dial,
        decoder(settings),
        read_many=client.mget_nonatomic,
        write_many=client.mset_nonatomic,
        delete=lambda keys: client.delete(*keys),
        owner_of=owners(manager, remap),
    )  # fmt: skip


def owners(
    manager: Any, remap: Callable[[Address], Address] | None
) -> Callable[[int], Address | None]:
    """By what a client of redis-py or valkey-py knows of the cluster at the moment."""

    def owner_of(slot: int) -> Address | None:
        # Places that the client calls otherwise than the cluster does cannot be compared.
        nodes = manager.slots_cache.get(slot) if remap is None else None
        return (nodes[0].host, int(nodes[0].port)) if nodes else None

    return owner_of


def of_glide(client: Any, is_cluster: bool, is_async: bool) -> Origin:
    """`GlideClient` and `GlideClusterClient`, of `glide` and `glide_sync`."""
    config = client.config if is_async else client._config
    settings: dict[str, Any] = {"db": config.database_id or 0}
    credentials = config.credentials
    if credentials is not None:
        if getattr(credentials, "iam_config", None) is not None:
            raise ConfigError(
                "this client authenticates by IAM tokens, which its own core renews: a near cache "
                "needs one with a password"
            )
        settings |= {"username": credentials.username, "password": credentials.password}
    tls = getattr(config.advanced_config, "tls_config", None)
    if config.use_tls and tls is not None:
        if tls.use_insecure_tls:
            settings |= {"ssl_cert_reqs": "none", "ssl_check_hostname": False}
        if tls.root_pem_cacerts is not None:
            settings["ssl_ca_data"] = tls.root_pem_cacerts.decode()
    kind = "SSLConnection" if config.use_tls else "Connection"
    start = [(address.host, address.port) for address in config.addresses]
    dial = dialler("redis", kind, settings)
    return Origin(
        client, start, is_cluster, is_async, dial, bytes,
        read_many=client.mget,
        write_many=client.mset,
        delete=lambda keys: client.delete(list(keys)),
    )  # fmt: skip


def decoder(settings: Mapping[str, Any]) -> Callable[[bytes], Any]:
    """Bytes to values as a client of these settings returns them."""
    if not settings.get("decode_responses"):
        return bytes
    encoding = settings.get("encoding", "utf-8")
    errors = settings.get("encoding_errors", "strict")
    return lambda value: value.decode(encoding, errors)


def dialler(
    library: str,
    kind: str,
    settings: Mapping[str, Any],
    remap: Callable[[Address], Address] | None = None,
) -> "Callable[[Address], socket.socket]":
    """Connects as a client of these settings does, by its own library, in RESP3.

    Raises:
        ConfigError: hiredis, or the library, is missing.
    """
    require("hiredis", "cluster")
    connections = require(f"{library}.connection", "cluster")
    limits = [settings.get("socket_connect_timeout"), settings.get("socket_timeout")]
    seconds = min([CONNECT_SECONDS, *(limit for limit in limits if limit)])
    kept = {name: settings[name] for name in KEPT & settings.keys()}
    by_path = "UnixDomainSocket" in kind
    made = (
        connections.UnixDomainSocketConnection
        if by_path
        else (connections.SSLConnection if "SSL" in kind else connections.Connection)
    )

    def dial(address: Address) -> "socket.socket":
        host, port = address if remap is None or by_path else remap(address)
        place = {"path": host} if by_path else {"host": host, "port": port}
        limit = {"socket_timeout": seconds}
        if not by_path:
            limit["socket_connect_timeout"] = seconds
        connection = made(**{**kept, **place, **limit}, protocol=3)
        connection.connect()
        # From here on the socket is ours: the connection would read what is not meant for it.
        channel: socket.socket = connection._sock
        connection._sock = None
        return channel

    return dial
