"""Connected cores: suspicious accounts that hang together by likely links which share more than a network.

A ring is what an analyst looks at; a core is what may be listed without one. On worlds of other makers most wrong
listings were single accounts, pairs, one person's few accounts, and customers of one proxy seller: none of them hangs
together so. An account belongs to a core only by links that it hears itself (features/order.py), from accounts that
signed up before it or at most `_LATER_DAYS` later. In its first days an account hears those that come later as well,
which tells rings early and can be abused: of eight people framed on a simulated world six were that young. So nobody is
drawn into a core by what newer accounts do, and the first accounts of a ring, which hear only such, are for people to
decide: 3 to 14 % of what would be listed on worlds of other makers.
"""

import numpy as np
from scipy import sparse

from ringwatch.models.data.links import Links

_LIKELY = 0.5  # probability of a link
_MIN_HEARD = 2  # accounts of the core
_LATER_DAYS = 2.0


def core_sizes(links: Links, is_suspicious: np.ndarray, created_at: np.ndarray) -> np.ndarray:
    """Number of accounts in each account's core, itself included: `[n_accounts] int64`; 0 outside all cores.

    Args:
        links: of the night.
        is_suspicious: `[n_accounts] bool`.
        created_at: `[n_accounts] datetime64[us]`.
    """
    holds = (links.probability > _LIKELY) & is_suspicious[links.receiver] & is_suspicious[links.sender]
    later_days = (created_at[links.sender] - created_at[links.receiver]) / np.timedelta64(1, "D")
    holds &= later_days <= _LATER_DAYS
    if links.n_beyond_network is not None:
        holds &= links.n_beyond_network > 0
    receiver, sender = links.receiver[holds], links.sender[holds]
    ties = sparse.coo_matrix((np.ones(receiver.size, dtype=np.int8), (receiver, sender)), shape=(links.n_accounts,) * 2)
    _, part = sparse.csgraph.connected_components(ties, directed=False)
    hears = np.bincount(receiver, minlength=links.n_accounts) >= _MIN_HEARD
    n_hearing = np.bincount(part[hears], minlength=int(part.max(initial=-1)) + 1)
    return np.where(hears, n_hearing[part], 0).astype(np.int64)
