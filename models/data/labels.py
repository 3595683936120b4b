"""The labels of accounts, as known by the snapshot's night."""

from typing import NamedTuple

import numpy as np
import pyarrow.compute as pc

from ringwatch.models.data.snapshot import Snapshot


class Labels(NamedTuple):
    """Labels in the order of the accounts.

    Attributes:
        target: `[n_accounts] int8`, 1 fake, 0 legitimate, -1 not known.
        confidence: `[n_accounts] float64`, of the label; 0 where none is known.
        known_at: `[n_accounts] datetime64[us]`, when it became known; NaT where none is.
    """

    target: np.ndarray
    confidence: np.ndarray
    known_at: np.ndarray

    @property
    def is_known(self) -> np.ndarray:
        """`[n_accounts] bool`."""
        return np.asarray(self.target >= 0)

    @property
    def is_fake(self) -> np.ndarray:
        """`[n_accounts] bool`: known to be fake."""
        return np.asarray(self.target == 1)


def known_labels(snapshot: Snapshot) -> Labels:
    """Labels of a snapshot; one that became known after its night does not count."""
    table = snapshot.labels
    known_at = table["known_at"].to_numpy().astype("datetime64[us]")
    account = snapshot.account_codes(table["account_id"])
    rows = np.flatnonzero((known_at < snapshot.end_of_day) & (account >= 0))
    account = account[rows]
    labels = Labels(
        target=np.full(snapshot.n_accounts, -1, dtype=np.int8),
        confidence=np.zeros(snapshot.n_accounts),
        known_at=np.full(snapshot.n_accounts, np.datetime64("NaT", "us")),
    )
    labels.target[account] = pc.equal(table["label"], "fake").to_numpy(zero_copy_only=False)[rows]
    labels.confidence[account] = table["label_confidence"].fill_null(1.0).to_numpy()[rows]
    labels.known_at[account] = known_at[rows]
    return labels
