"""Files of saved models, read as the engine reads them and written: without numpy."""

import os
import stat

from augury import _core
from augury.errors import ArtifactError

__all__ = ["LARGEST", "read_artifact", "read_bytes", "read_sequence", "write_bytes"]

#: Bytes that are read at most; the engine refuses what has as many.
LARGEST = 256 << 20
EXPECTED = "expected the file of a model, as augury train saves one"


def read_bytes(path: str | os.PathLike[str]) -> bytes:
    """The bytes of a file, or an :class:`~augury.ArtifactError` that names it."""
    name = os.fspath(path)
    if not name:
        raise ArtifactError("no file is named: give the path of a saved model")
    try:
        # A pipe or a device may never end.
        if not stat.S_ISREG(os.stat(name).st_mode):
            raise ArtifactError(f"{name}: is no regular file; {EXPECTED}")
        with open(name, "rb") as file:
            return file.read(LARGEST + 1)
    except OSError as error:
        raise ArtifactError(f"{name}: cannot be read: {error.strerror}; {EXPECTED}") from error


def read_artifact(path: str | os.PathLike[str]) -> "_core.Artifact":
    """The model in a file.

    Raises :class:`~augury.ArtifactError`, or its :class:`~augury.SchemaMismatchError`, where the
    file cannot be read or is no sound model; the message names the file.
    """
    data = read_bytes(path)
    try:
        return _core.Artifact(data)
    except ArtifactError as error:
        raise type(error)(f"{os.fspath(path)}: {error}") from None


def read_sequence(path: str | os.PathLike[str]) -> "_core.Sequence":
    """The sequence model in a file.

    Raises :class:`~augury.ArtifactError` where the file cannot be read or is no sound sequence
    model; the message names the file.
    """
    data = read_bytes(path)
    try:
        return _core.Sequence(data)
    except ArtifactError as error:
        raise type(error)(f"{os.fspath(path)}: {error}") from None


def write_bytes(path: str | os.PathLike[str], data: bytes) -> None:
    """Write a file, whole or not at all, or raise an :class:`~augury.ArtifactError`."""
    name = os.fspath(path)
    draft = f"{name}.{os.getpid()}.part"
    try:
        with open(draft, "xb") as file:
            file.write(data)
        os.replace(draft, name)
    except OSError as error:
        raise ArtifactError(f"{name}: {error.strerror}") from error
