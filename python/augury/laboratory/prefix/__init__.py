"""Prefix blocks of language models: a block is of use only if all blocks before it are there.

An engine that serves a language model keeps what it has computed of a prompt in blocks of some
hundred tokens, each named by a hash of all tokens up to its end. A new prompt may skip the longest
run of its blocks, from the first on, that is stored; a block behind a gap is of no use. So blocks
form a tree, and what counts is the share of the tokens that are skipped.

In the order of the data: :mod:`.chains` (the prompts of a trace, checked to form a tree),
:mod:`.tree` (a store that evicts leaves first), :mod:`.shelves` (which leaf: by recency, by worth,
by the future), :mod:`.worth` (how soon blocks like this one return), :mod:`.replaying` (all of them
beside the engine's own policies, which know of no tree).
"""

from augury.laboratory.prefix.replaying import POLICIES, PrefixCell, PrefixResult, replay_prefixes

__all__ = ["POLICIES", "PrefixCell", "PrefixResult", "replay_prefixes"]
