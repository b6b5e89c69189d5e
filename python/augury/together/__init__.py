"""Learning together: caches of several processes that serve the same keys.

From one connection as questions and bounded answers (`channel`) to what the caches keep there and
who of them may write it (`group`), and from there to the thread that tells and hears (`member`) and
to the class that a program makes (`together`). What is counted, merged and taken over is the
engine's (`augury_core::together`).
"""

from augury.together.together import Together, TogetherStats

__all__ = ["Together", "TogetherStats"]
