"""A caching reverse proxy for one HTTP origin, as an ASGI application and as `augury proxy`.

    app            the life of a request: refuse, purge, look, pass
    targets        targets in one form, and what names their answers
    asked          what a client asks
    fetching       from what is stored, from the origin, or from both; by flights
    asking         one request to the origin, and what becomes of its answer
    writes         requests that no stored answer may do for, and what they make old
    ranges         ranges of bytes, asked for and answered
    reuse          may a stored answer be served
    storing        may an answer be stored: hishel's rules, and those above them
    answers        where answers lie: `augury.Cache`
    forwarding     fields on their way to the origin and back
    origin         one request to the origin, by httpcore
    connections    connections to the origin, kept open
    replying       how an answer is sent, whole, in part or while it comes
    interim        interim answers from the origin to the client
    bounded        connections of clients, with limits
    serving        addresses, start and end: uvicorn

`docs/proxy.md` has the settings, the laws that it keeps and those that it does not.
"""

from augury.proxy.app import Proxy
from augury.proxy.settings import Settings

__all__ = ["Proxy", "Settings"]
