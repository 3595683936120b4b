"""A platform's model beside the default network: trees on its evidence, networks of its own, and their weights."""

from dataclasses import dataclass

import numpy as np

from ringwatch.models.data.links import Links
from ringwatch.models.ensemble.evidence import SharedEvidence
from ringwatch.models.ensemble.parts import TreePart
from ringwatch.models.ensemble.smoothing import smoothed


@dataclass(frozen=True)
class Stack:
    """Parts that were fitted to a platform's labels.

    Attributes:
        parts: of trees.
        weights: of the default network's logit, then of each part's.
        smoothing: strength of smoothing over links.
    """

    parts: tuple[TreePart, ...]
    weights: tuple[float, ...]
    smoothing: float

    def combine(self, logits: np.ndarray, links: Links, shared: SharedEvidence) -> np.ndarray:
        """One logit for each account, `[n_accounts] float64`, from those of the network and each part, in that order.

        Args:
            logits: `[1 + n_parts, n_accounts]`.
            links: by the network, with labels hidden.
            shared: what the pairs share.
        """
        return smoothed(np.array(self.weights) @ logits, links, shared, strength=self.smoothing)
