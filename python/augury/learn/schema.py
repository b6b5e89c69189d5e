"""The feature row: names and meanings, as the engine defines them.

>>> from augury.learn import FEATURES
>>> FEATURES[0]
'log_age'
"""

from augury import _core

__all__ = ["FEATURES", "MEANINGS", "SCHEMA_VERSION"]

_version, _features = _core.feature_schema()

#: Grows whenever a feature changes.
SCHEMA_VERSION: int = _version
#: Names of the features, in the order of a row. All are logarithms to base 2.
FEATURES: tuple[str, ...] = tuple(name for name, _ in _features)
#: What each feature is.
MEANINGS: dict[str, str] = dict(_features)
