"""Artifacts: trained models as files, data only.

A file is in the safetensors format. Its metadata hold a manifest in JSON (form, feature schema,
model card) and a SHA-256 over manifest and tensors; reading one runs nothing.
"""

import json
import os
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import numpy as np
import numpy.typing as npt

from augury import _core
from augury.artifacts import read_bytes, write_bytes
from augury.errors import ArtifactError
from augury.extras import require
from augury.learn.exporting import Parts
from augury.learn.schema import FEATURES, SCHEMA_VERSION

__all__ = ["Artifact"]

FORMAT_VERSION = 1
MEANINGS = ("probability", "log_wait")


class Artifact:
    """A saved model: its model card, and its answers by the native engine."""

    def __init__(self, data: bytes, origin: str = "artifact") -> None:
        self._data = data
        try:
            self.native = _core.Artifact(data)
        except ArtifactError as error:
            raise type(error)(f"{origin}: {error}") from None
        self._manifest: dict[str, Any] = json.loads(self.native.manifest)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "Artifact":
        """Read a file.

        Raises:
            ArtifactError: it cannot be read, or is not a sound model.
            SchemaMismatchError: it was trained on other feature rows.
        """
        return cls(read_bytes(path), os.fspath(path))

    @classmethod
    def of(
        cls,
        parts: Parts,
        *,
        meaning: str,
        horizon: float | None = None,
        gain: float | None = None,
        distilled: Parts | None = None,
        card: Mapping[str, Any] | None = None,
    ) -> "Artifact":
        """An artifact of these parts.

        Args:
            parts: What :func:`~augury.learn.exporting.describe` made of a fitted estimator.
            meaning: What it predicts: ``probability`` of an access within the horizon, or
                ``log_wait``, the log to base 2 of 1 + requests until the next access.
            horizon: In requests, for a probability.
            gain: By how much it lowered the object miss ratio of `auto` when it was evaluated on
                data it was not trained on. With a gain it is on trial at once where it is loaded;
                without, it waits for its turn.
            distilled: The parts of a table that answers in its stead where it is too slow.
            card: What people should know of it; anything JSON can hold.
        """
        if meaning not in MEANINGS:
            raise ArtifactError(f"a prediction means one of {MEANINGS}, not {meaning!r}")
        manifest = {
            "format": FORMAT_VERSION,
            "schema": SCHEMA_VERSION,
            "features": list(FEATURES),
            "meaning": meaning,
            "horizon": horizon,
            "gain": gain,
            "model": parts.model,
            "distilled": distilled.model if distilled else None,
            "card": dict(card or {}),
        }
        tensors = {f"model.{name}": tensor for name, tensor in parts.tensors.items()}
        if distilled:
            tensors |= {f"distilled.{name}": tensor for name, tensor in distilled.tensors.items()}
        return cls(written(manifest, tensors))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the file, whole or not at all.

        Raises:
            ArtifactError: it cannot be written.
        """
        write_bytes(path, self._data)

    @property
    def card(self) -> dict[str, Any]:
        """The model card: data, dates, features, scores, limits."""
        return dict(self._manifest.get("card") or {})

    @property
    def meaning(self) -> str:
        """What a prediction is: ``probability`` or ``log_wait``."""
        return str(self._manifest["meaning"])

    @property
    def horizon(self) -> float | None:
        """Requests within which the next access counts as reuse."""
        return self._manifest.get("horizon")

    @property
    def gain(self) -> float | None:
        """By how much it lowered the miss ratio of `auto` when it was evaluated."""
        return self._manifest.get("gain")

    @property
    def hash(self) -> str:
        """SHA-256 of manifest and tensors, in hexadecimal."""
        return self.native.hash

    @property
    def size(self) -> int:
        """Bytes of the file."""
        return len(self._data)

    @property
    def is_distilled(self) -> bool:
        """Whether a cache asks its tables, the model itself being too slow."""
        model, serving = self.native.steps
        return model != serving

    def predict(self, rows: Any, *, serving: bool = False) -> npt.NDArray[np.float64]:
        """Answers of the native engine for feature rows of shape (rows, features).

        With ``serving``, of what a cache asks: the tables, where the model is too slow for it.
        """
        flat = np.ascontiguousarray(rows, dtype="<f4")
        if flat.ndim != 2 or flat.shape[1] != len(FEATURES):
            raise ArtifactError(
                f"rows of shape {flat.shape} are not feature rows: (rows, {len(FEATURES)})"
            )
        return np.frombuffer(self.native.predict(flat.tobytes(), serving), "<f8")


def written(manifest: dict[str, Any], tensors: dict[str, npt.NDArray[Any]]) -> bytes:
    """The bytes of a file."""
    save = require("safetensors.numpy", "learn").save
    text = json.dumps(manifest, allow_nan=False)
    plain: bytes = save(tensors)
    data = plain[8 + int.from_bytes(plain[:8], "little") :]
    digest = sha256(text.encode() + b"\0" + data).hexdigest()
    return bytes(save(tensors, metadata={"augury": text, "sha256": digest}))
