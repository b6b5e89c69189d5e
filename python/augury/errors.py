"""What can go wrong, as one tree.

    AuguryError
    ├── ConfigError (ValueError)          an option or a combination of options that cannot be
    ├── CapacityError (ValueError)        a capacity that is not one, or that holds nothing
    ├── LoadError                         the loader of a read-through cache failed
    ├── TraceError (ValueError)           a trace that cannot be read, found, made or written
    ├── ArtifactError                     a saved model that cannot be used
    │   └── SchemaMismatchError           ... because it was trained on other features
    ├── PersistenceError (ValueError)     a cache that cannot be saved, or a file that is none
    └── ServerError                       the server could not start or had to stop

Every message names the value, the limit and the way out. A miss is never an error.
"""

__all__ = [
    "ArtifactError",
    "AuguryError",
    "CapacityError",
    "ConfigError",
    "LoadError",
    "PersistenceError",
    "SchemaMismatchError",
    "ServerError",
    "TraceError",
]


class AuguryError(Exception):
    """Everything that augury raises on purpose."""


class ConfigError(AuguryError, ValueError):
    """An option has a value, or stands beside another option, that cannot be."""


class CapacityError(AuguryError, ValueError):
    """A capacity is malformed, zero, or larger than can be counted."""


class LoadError(AuguryError):
    """A loader failed to answer for a key."""


class TraceError(AuguryError, ValueError):
    """A trace cannot be read, found, made or written; names the file and the place in it.

    ``code`` says which of a closed list of things is wrong, such as ``wrong_columns``.
    """

    code: str

    def __init__(self, message: str, code: str = "trace") -> None:
        super().__init__(message)
        self.code = code


class ArtifactError(AuguryError):
    """A saved model cannot be used."""


class SchemaMismatchError(ArtifactError):
    """A saved model was trained on feature rows of another schema."""


class PersistenceError(AuguryError, ValueError):
    """A cache cannot be saved, or a file is no sound saved cache."""


class ServerError(AuguryError):
    """The server could not start or had to stop."""
