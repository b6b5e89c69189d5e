"""What can go wrong, as one tree.

    AuguryError
    ├── ConfigError (ValueError)          an option or a combination of options that cannot be
    ├── CapacityError (ValueError)        a capacity that is not one, or that holds nothing
    ├── LoadError                         a load took too long, or waited for itself
    ├── NotFound (KeyError)               what a loader raises where there is no such thing
    ├── TraceError (ValueError)           a trace that cannot be read, found, made or written
    ├── ArtifactError                     a saved model that cannot be used
    │   └── SchemaMismatchError           ... because it was trained on other features
    ├── PersistenceError (ValueError)     a cache that cannot be saved, or a file that is none
    ├── ClusterError                      a cluster that does not answer, or is not as it has to be
    └── ServerError                       the server could not start or had to stop

Every message names the value, the limit and the way out. A miss is never an error.
"""

__all__ = [
    "ArtifactError",
    "AuguryError",
    "CapacityError",
    "ClusterError",
    "ConfigError",
    "LoadError",
    "NotFound",
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
    """A load took longer than its caller waits, waited for itself, or was cut off.

    What a loader raises itself is passed on as it is.
    """


class NotFound(AuguryError, KeyError):  # noqa: N818
    """There is no such thing: raised by loaders, with the key, and passed on to whoever asked.

    Where the cache has a ``negative_ttl`` that is remembered.
    """


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


class ClusterError(AuguryError):
    """A cluster does not answer, refuses, or is not as a plan or a command takes it to be."""


class ServerError(AuguryError):
    """The server could not start or had to stop."""
