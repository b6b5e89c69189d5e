"""PURGE: what is stored for a target, or in a group, is let go of on demand.

    PURGE /products/7                         every answer of the target, whatever it varies by
    PURGE / with Cache-Groups: "product-7"    every answer in the groups (RFC 9875)

From the machine itself, or by the token that the settings name.
"""

import hmac
import ipaddress

from augury.proxy.asked import Asked
from augury.proxy.fields import first, joined
from augury.proxy.groups import groups_in
from augury.proxy.settings import Settings
from augury.proxy.writes import Writes

__all__ = ["may_purge", "purge"]


def purge(asked: Asked, writes: Writes, settings: Settings) -> tuple[int, str]:
    """Do it, if the client may; the status and what to say."""
    if not may_purge(asked, settings):
        return 403, "PURGE is for this machine, or with the token of the setting purge_token"
    named = joined(asked.fields, b"cache-groups")
    if named is not None:
        groups = groups_in(named)
        if not groups:
            return 400, 'Cache-Groups: expected strings, as in "product-7", "shelf-3"'
        writes.invalidate_groups(groups)
        return 200, f"purged {len(groups)} groups"
    if writes.invalidate(asked.name):
        return 200, "purged"
    return 404, "nothing is stored for this target"


def may_purge(asked: Asked, settings: Settings) -> bool:
    """By the token, or from the loopback where no other proxy can be in between."""
    given = first(asked.fields, b"authorization") or b""
    if settings.purge_token:
        expected = b"Bearer " + settings.purge_token.encode()
        if hmac.compare_digest(given, expected):
            return True
    if settings.behind_proxy:
        return False
    try:
        return ipaddress.ip_address(asked.client).is_loopback
    except ValueError:
        return False
