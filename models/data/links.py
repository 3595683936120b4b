"""Predicted links between accounts."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Links:
    """Pairs of accounts, sorted, in the direction in which one hears the other, and how likely one operator has both.

    Attributes:
        receiver: `[n_pairs] int64`, the account that hears: by what it did itself.
        sender: `[n_pairs] int64`.
        probability: `[n_pairs] float64`, that both are fakes of one operator, as far as the receiver's evidence goes.
        n_accounts: accounts that the rows count in.
        n_beyond_network: `[n_pairs] int64`, independent kinds of evidence that the receiver shares with the other,
            addresses and subnets left out; None: not known.
    """

    receiver: np.ndarray
    sender: np.ndarray
    probability: np.ndarray
    n_accounts: int
    n_beyond_network: np.ndarray | None = None
