"""Predicted links between accounts."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Links:
    """Pairs of accounts, sorted and each once, and how likely the two are fakes of one operator.

    Attributes:
        one: `[n_pairs] int64`, the smaller row.
        other: `[n_pairs] int64`.
        probability: `[n_pairs] float64`.
        n_accounts: accounts that the rows count in.
    """

    one: np.ndarray
    other: np.ndarray
    probability: np.ndarray
    n_accounts: int
