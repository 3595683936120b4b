"""Smoothing of logits over links: accounts of one operator are found together, or not at all.

As in "Correct and Smooth" (Huang et al. 2021, arXiv 2010.13993), but over predicted links whose two accounts share more
than a network: neighbours and customers of one reseller share addresses, and would only blur.
"""

import numpy as np

from ringwatch.models.data.links import Links
from ringwatch.models.ensemble.evidence import SharedEvidence

_DAMPING = 0.3  # links: who has hardly any keeps its own logit


def smoothed(logits: np.ndarray, links: Links, shared: SharedEvidence, *, strength: float) -> np.ndarray:
    """Each logit plus `strength` times the mean of those linked to it, `[n_accounts] float64`."""
    weight = links.probability * (shared.n_beyond_network > 0)
    total = np.bincount(links.receiver, weight, minlength=logits.size)
    of_linked = np.bincount(links.receiver, weight * logits[links.sender], minlength=logits.size) / (total + _DAMPING)
    return np.asarray(logits + strength * of_linked)
