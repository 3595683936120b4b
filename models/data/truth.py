"""The truth about a simulated world's accounts, as training and evaluation use it."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Truth:
    """The truth about a snapshot's accounts, in its order.

    Attributes:
        is_fake: `[n_accounts] bool`, fake and active as such by the night.
        is_evaluated: `[n_accounts] bool`, ordinary, or fake and active: a fake that has done nothing yet is neither.
        group: `[n_accounts] int64`, the true group; a number of its own for who is alone.
        campaign: `[n_accounts] str`, empty for ordinary people.
        kind: `[n_accounts] str`.
    """

    is_fake: np.ndarray
    is_evaluated: np.ndarray
    group: np.ndarray
    campaign: np.ndarray
    kind: np.ndarray
