"""From fitted estimators to the parts of an artifact: numbers, never objects.

One module per family. What the engine cannot serve is refused with a word.
"""

from augury.learn.exporting.describe import describe
from augury.learn.exporting.parts import Parts

__all__ = ["Parts", "describe"]
