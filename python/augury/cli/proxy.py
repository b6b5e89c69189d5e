"""``augury proxy``: a caching reverse proxy in front of a web server."""

from typing import Annotated, Any

import typer

from augury.cli.failure import designed_failures
from augury.extras import require

__all__ = ["proxy"]


def proxy(
    origin: Annotated[
        str | None, typer.Option(metavar="URL", help="What to stand in front of: http://HOST:PORT.")
    ] = None,
    listen: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="Where clients come. (127.0.0.1:8080)")
    ] = None,
    admin: Annotated[
        str | None,
        typer.Option(metavar="HOST:PORT", help="Where /healthz, /readyz and /metrics are; off."),
    ] = None,
    memory: Annotated[
        str | None, typer.Option(metavar="BYTES", help="For stored answers. (256 MB)")
    ] = None,
    policy: Annotated[
        str | None, typer.Option(metavar="NAME", help="What decides which stay. (auto)")
    ] = None,
    prefetch: Annotated[
        str | None,
        typer.Option(
            metavar="SHARE", help="Fetches ahead, as a share of those on demand: 10%. (0)"
        ),
    ] = None,
    refresh_ahead: Annotated[
        str | None,
        typer.Option(metavar="SHARE", help="Fetches before answers become stale, likewise. (0)"),
    ] = None,
    max_object: Annotated[
        str | None, typer.Option(metavar="BYTES", help="Largest body that is stored. (8 MB)")
    ] = None,
    stale_if_error: Annotated[
        float | None,
        typer.Option(
            metavar="SECONDS",
            help="How long a stale answer stands in for an origin that is down. (60)",
        ),
    ] = None,
    keep_stale: Annotated[
        float | None,
        typer.Option(metavar="SECONDS", help="How long one that can be validated stays. (86400)"),
    ] = None,
    heuristic_max: Annotated[
        float | None,
        typer.Option(metavar="SECONDS", help="Longest freshness by Last-Modified alone. (86400)"),
    ] = None,
    client_control: Annotated[
        bool | None,
        typer.Option(
            "--client-control/--ignore-client-control",
            help="Whether Cache-Control of requests is obeyed (yes).",
            show_default=False,
        ),
    ] = None,
    store_cookies: Annotated[
        bool | None,
        typer.Option("--store-cookies", help="Store answers that set cookies like any other."),
    ] = None,
    preserve_host: Annotated[
        bool | None, typer.Option("--preserve-host", help="Send the client's Host to the origin.")
    ] = None,
    hosts: Annotated[
        str | None, typer.Option(metavar="NAME,...", help="Hosts that are answered for. (all)")
    ] = None,
    behind_proxy: Annotated[
        bool | None, typer.Option("--behind-proxy", help="Believe X-Forwarded-* of requests.")
    ] = None,
    origin_timeout: Annotated[
        float | None, typer.Option(metavar="SECONDS", help="Silence of the origin. (60)")
    ] = None,
    origin_ca: Annotated[
        str | None, typer.Option(metavar="FILE", help="Who vouches for an https origin.")
    ] = None,
    access_log: Annotated[
        str | None, typer.Option(metavar="FILE", help="A line for every request; - is here.")
    ] = None,
    json: Annotated[bool | None, typer.Option("--json", help="Log in JSON.")] = None,
    config: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            envvar="AUGURY_PROXY_CONFIG",
            help="Settings as TOML; variables AUGURY_PROXY_* win over it, flags over both.",
        ),
    ] = None,
) -> None:
    """Cache what a web server answers: augury proxy --origin http://127.0.0.1:8000.

    Further settings, for the file and the environment, are in docs/proxy.md.
    """
    given: dict[str, Any] = {
        "origin": origin, "listen": listen, "admin": admin, "memory": memory, "policy": policy,
        "prefetch": prefetch, "refresh_ahead": refresh_ahead, "max_object": max_object,
        "stale_if_error": stale_if_error, "keep_stale": keep_stale,
        "heuristic_max": heuristic_max, "client_control": client_control,
        "store_cookies": store_cookies, "preserve_host": preserve_host, "hosts": hosts,
        "behind_proxy": behind_proxy, "origin_timeout": origin_timeout, "origin_ca": origin_ca,
        "access_log": access_log, "json": json,
    }  # fmt: skip
    with designed_failures():
        for module in ("uvicorn", "httptools", "uvloop", "httpcore", "hishel", "http_sf",
                       "prometheus_client"):  # fmt: skip
            require(module, "proxy")
        from augury.proxy.serving import run
        from augury.proxy.settings import read_settings

        settings = read_settings(config, given)

        def started(front: str, back: str) -> None:
            beside = f", health and metrics on http://{back}" if back else ""
            typer.echo(f"augury proxy on http://{front} for {settings.origin}{beside}", err=True)

        run(settings, started)
