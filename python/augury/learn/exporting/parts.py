"""What an artifact says of a model: a word about its form, and its tensors."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Nodes", "Parts"]

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Parts:
    """``model`` as the manifest has it; tensors by name, without prefix."""

    model: dict[str, Any]
    tensors: dict[str, Array]


@dataclass(slots=True)
class Nodes:
    """Nodes of trees, collected: children are places in the list, after their parent.

    A leaf has the feature -1.
    """

    feature: list[Array] = field(default_factory=list)
    threshold: list[Array] = field(default_factory=list)
    left: list[Array] = field(default_factory=list)
    right: list[Array] = field(default_factory=list)
    value: list[Array] = field(default_factory=list)
    roots: list[int] = field(default_factory=list)
    count: int = 0

    def add(
        self, feature: Array, threshold: Array, left: Array, right: Array, value: Array
    ) -> None:
        """One tree, its root first; children count from its root."""
        is_leaf = feature < 0
        self.roots.append(self.count)
        self.feature.append(np.where(is_leaf, -1, feature).astype("<i4"))
        self.threshold.append(np.where(is_leaf, 0.0, threshold).astype("<f8"))
        self.left.append(np.where(is_leaf, -1, left + self.count).astype("<i4"))
        self.right.append(np.where(is_leaf, -1, right + self.count).astype("<i4"))
        self.value.append(np.where(is_leaf, value, 0.0).astype("<f8"))
        self.count += len(feature)

    def parts(self, link: str, offset: float = 0.0, scale: float = 1.0) -> Parts:
        """The trees added so far, as parts of a model."""
        names = ("feature", "threshold", "left", "right", "value")
        tensors = {name: np.concatenate(getattr(self, name)) for name in names}
        tensors["roots"] = np.array(self.roots, "<i4")
        model = {"kind": "trees", "link": link, "offset": float(offset), "scale": float(scale)}
        return Parts(model, tensors)
