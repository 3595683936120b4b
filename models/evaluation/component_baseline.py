"""Connected components as a baseline: every account connected to a known fake is accused. It accuses the most."""

import numpy as np

from ringwatch.models.data.snapshot import Snapshot
from ringwatch.models.features.components import components


def accused_by_component(snapshot: Snapshot, is_known_fake: np.ndarray, *, max_sharing: int) -> np.ndarray:
    """Accounts in a component with a known fake, `[n_accounts] bool`."""
    component = components(snapshot, max_sharing=max_sharing)
    return np.isin(component, component[is_known_fake])
