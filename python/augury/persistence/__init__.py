"""Caches as files: entries, histories and what was learned, as data only.

:meth:`augury.Cache.save` and :meth:`augury.Cache.load` are the doors; :class:`Serializer` is how
keys and values become bytes.
"""

from augury.persistence.plain_data import PlainData
from augury.persistence.serializer import Serializer

__all__ = ["PlainData", "Serializer"]
