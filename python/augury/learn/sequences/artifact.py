"""Sequence models as files: the container of other models, with other tensors."""

import json
import os
from collections.abc import Mapping
from typing import Any

from augury import _core
from augury.artifacts import read_bytes, write_bytes
from augury.errors import ArtifactError
from augury.learn.artifact import FORMAT_VERSION, written

__all__ = ["SequenceArtifact"]


class SequenceArtifact:
    """A saved sequence model and its card. Replays use it as ``prefetcher="learned:PATH"``."""

    def __init__(self, data: bytes, origin: str = "artifact") -> None:
        self._data = data
        try:
            #: As the engine asks it.
            self.native = _core.Sequence(data)
        except ArtifactError as error:
            raise type(error)(f"{origin}: {error}") from None
        self._manifest: dict[str, Any] = json.loads(self.native.manifest)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "SequenceArtifact":
        """Read a file.

        Raises:
            ArtifactError: it cannot be read, or is no sound sequence model.
        """
        return cls(read_bytes(path), os.fspath(path))

    @classmethod
    def of(
        cls, tensors: Mapping[str, Any], card: Mapping[str, Any] | None = None
    ) -> "SequenceArtifact":
        """An artifact.

        Args:
            tensors: As ``tensors_of`` makes them.
            card: What people should know of it; anything JSON can hold.
        """
        model = {"kind": "sequence"}
        manifest = {"format": FORMAT_VERSION, "model": model, "card": dict(card or {})}
        return cls(written(manifest, {f"model.{name}": one for name, one in tensors.items()}))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the file, whole or not at all.

        Raises:
            ArtifactError: it cannot be written.
        """
        write_bytes(path, self._data)

    @property
    def card(self) -> dict[str, Any]:
        """The model card: data, dates, judgement, limits."""
        return dict(self._manifest.get("card") or {})

    @property
    def hash(self) -> str:
        """SHA-256 of manifest and tensors, in hexadecimal."""
        return self.native.hash

    @property
    def size(self) -> int:
        """Bytes of the file."""
        return len(self._data)
