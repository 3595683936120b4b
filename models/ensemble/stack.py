"""What scores beside the network: trees on its evidence, and the weights of both."""

from dataclasses import dataclass

import numpy as np

from ringwatch.models.data.links import Links
from ringwatch.models.ensemble.evidence import SharedEvidence
from ringwatch.models.ensemble.parts import TreePart
from ringwatch.models.ensemble.smoothing import smoothed


@dataclass(frozen=True)
class Stack:
    """Trees beside the network, and how their logits are combined.

    Attributes:
        pretrained: trees of the default model, fitted to the truth of simulated worlds.
        fitted: trees that were fitted to a platform's labels; none in the default model.
        weights: of the network's logit, then of each part's in the order above, then of a platform's own networks if it
            has any.
        smoothing: strength of smoothing over links.
    """

    pretrained: tuple[TreePart, ...]
    fitted: tuple[TreePart, ...]
    weights: tuple[float, ...]
    smoothing: float

    def combine(self, logits: np.ndarray, links: Links, shared: SharedEvidence) -> np.ndarray:
        """One logit for each account, `[n_accounts] float64`.

        Args:
            logits: `[1 + n_parts, n_accounts]`, of the network and of each part, in the order of the weights.
            links: by the network, with labels hidden.
            shared: what the pairs share.
        """
        return smoothed(np.array(self.weights) @ logits, links, shared, strength=self.smoothing)
