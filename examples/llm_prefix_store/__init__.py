"""The remote store of a language model's engine: blocks of its prompts, over RESP.

    python -m examples.llm_prefix_store

starts `augury serve` on a free port, lets conversations with common beginnings be "computed", and
prints how many tokens need not be. `store.py` is what an engine would take over; `serving.py`
starts the server, `engine.py` stands in for the engine.
"""
