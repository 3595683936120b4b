"""What scores beside the network: trees on its evidence, and the weights of both."""

from dataclasses import dataclass

import numpy as np

from ringwatch.models.data.links import Links
from ringwatch.models.ensemble.evidence import SharedEvidence
from ringwatch.models.ensemble.parts import TreePart
from ringwatch.models.ensemble.smoothing import smoothed


@dataclass(frozen=True)
class CrossFit:
    """The fitted parts once more for each fold of accounts, without that fold's labels: they score labelled accounts.

    Attributes:
        folds: the parts of each, in the order of `Stack.fitted`.
        salt: of the hash that puts an account in a fold.
    """

    folds: tuple[tuple[TreePart, ...], ...]
    salt: int


@dataclass(frozen=True)
class Stack:
    """Trees beside the network, and how their logits are combined.

    Attributes:
        pretrained: trees of the default model, fitted to the truth of simulated worlds.
        fitted: trees that were fitted to a platform's labels; none in the default model.
        weights: of the network's logit, then of each part's in the order above, then of a platform's own networks if it
            has any.
        smoothing: strength of smoothing over links.
        cross_fit: of the fitted parts; None where there are none.
    """

    pretrained: tuple[TreePart, ...]
    fitted: tuple[TreePart, ...]
    weights: tuple[float, ...]
    smoothing: float
    cross_fit: CrossFit | None = None

    def combine(self, logits: np.ndarray, links: Links, shared: SharedEvidence) -> np.ndarray:
        """One logit for each account, `[n_accounts] float64`.

        Args:
            logits: `[1 + n_parts, n_accounts]`, of the network and of each part, in the order of the weights.
            links: by the network, with labels hidden.
            shared: what the pairs share.
        """
        return smoothed(np.array(self.weights) @ logits, links, shared, strength=self.smoothing)
