"""The near cache: a checker of its promise on a real cluster under faults, and its measurements."""
