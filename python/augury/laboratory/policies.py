"""The names of the policies, and which of them see the future."""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches

from augury import _core
from augury.artifacts import read_artifact
from augury.errors import ConfigError

__all__ = [
    "DEFAULT_POLICIES",
    "ORACLES",
    "PEERS",
    "PEER_ORACLES",
    "PEER_PREFIX",
    "is_learned",
    "is_oracle",
    "is_peer",
    "load_model",
    "resolve_policies",
]

#: Ours, the ones that people know, and the bound: belady where sizes are alike, else beladysize.
DEFAULT_POLICIES = (
    "auto", "lru", "s3fifo", "wtinylfu", "gdsf", "survival", "belady", "beladysize",
)  # fmt: skip
PEER_PREFIX = "peer:"
LEARNED_PREFIX = "learned:"
ORACLES = frozenset({"belady", "beladysize", "belady-bypass"})
PEER_ORACLES = ("Belady", "BeladySize")
#: libCacheSim's names of the policies that `--peers` adds.
PEERS = (
    "FIFO", "LRU", "LFU", "LFUDA", "ARC", "TwoQ", "SLRU", "MQ", "LIRS", "S3FIFO", "Sieve",
    "Clock2QPlus", "WTinyLFU", "LeCaR", "Cacheus", "LHD", "Hyperbolic", "GDSF", "GLCache", "LRB",
    "ThreeLCache",
)  # fmt: skip


def is_peer(policy: str) -> bool:
    """Whether libCacheSim runs this policy."""
    return policy.startswith(PEER_PREFIX)


def is_learned(policy: str) -> bool:
    """Whether it is `auto` with a saved model among its experts."""
    return policy.startswith(LEARNED_PREFIX)


def load_model(policy: str) -> "_core.Artifact":
    """The saved model of ``learned:PATH``.

    Raises :class:`~augury.ArtifactError` where it cannot be read or used.
    """
    return read_artifact(policy.removeprefix(LEARNED_PREFIX))


def is_oracle(policy: str) -> bool:
    """Whether the policy knows the future, so that no cache can run it."""
    return policy in ORACLES or policy.removeprefix(PEER_PREFIX) in PEER_ORACLES


def resolve_policies(asked: str | Iterable[str], *, peers: bool = False) -> tuple[str, ...]:
    """The policies asked for, each once, in order; with ``peers``, libCacheSim's after them.

    Raises :class:`~augury.ConfigError` for a name that is not a policy.

    >>> resolve_policies("auto,lru,auto")
    ('auto', 'lru')
    """
    names = asked.split(",") if isinstance(asked, str) else list(asked)
    if not all(isinstance(name, str) for name in names):
        raise ConfigError(f"policies {names!r} are not all names")
    found = [check_policy(name.strip()) for name in names]
    if peers:
        found += [PEER_PREFIX + name for name in (*PEERS, *PEER_ORACLES)]
    if not found:
        raise ConfigError("no policy given: name at least one, such as auto or lru")
    return tuple(dict.fromkeys(found))


def check_policy(name: str) -> str:
    """The name as given, if it is one of a policy."""
    if is_learned(name):
        load_model(name)
        return name
    known = (*_core.policies(), *(PEER_PREFIX + peer for peer in (*PEERS, *PEER_ORACLES)))
    if name not in known:
        raise ConfigError(f"no policy is called {name!r}{suggestion(name, known)}")
    return name


def suggestion(name: str, known: Sequence[str]) -> str:
    """What was probably meant, and everything that could have been."""
    close = get_close_matches(name, known, n=1)
    meant = f"; did you mean {close[0]!r}?" if close else "."
    own = ", ".join(name for name in known if not is_peer(name))
    return f"{meant} The policies are {own}, learned:PATH of a saved model, and peer:NAME"
