"""How surprising it is, on this platform, that two accounts share what they share.

The null model keeps every degree: uses of one kind of identifier are dealt out at random among the accounts, each of
which keeps its number of uses, and each identifier its number of accounts (the configuration model). Two accounts with
`a` and `b` uses then share a given identifier with `d` of all `m` uses with a probability of about `a b d^2 / m^2`
(Poisson). A card that two accounts use is beyond chance; an address of thousands is expected. No number in it comes
from another platform, so it means the same on all.
"""

import numpy as np
from torch_geometric.data import HeteroData

from ringwatch.graph_schema.graph import ACCOUNT, NODES_BY_LABEL
from ringwatch.models.gnn.hetero import PAIR


def pair_surprise(data: HeteroData) -> dict[str, np.ndarray]:
    """By family of evidence the negative log-probability of what each pair shares, `[n_pairs] float64`; 0 for nothing.

    Kinds of one family say the same twice, so the more surprising of them counts. A factor of as many as there are
    accounts is taken off: so many others could have been the one that shares it.
    """
    store, n_accounts = data[PAIR], data[ACCOUNT.label].num_nodes
    one, other = store.edge_index.numpy()
    column = dict(zip(store.inputs, store.edge_attr.numpy().T, strict=True))
    surprise: dict[str, np.ndarray] = {}
    for edge_type in data.edge_types:
        label, kind, _ = edge_type
        if f"{kind}.n" not in column or not data[edge_type].num_edges:
            continue
        using = data[edge_type].edge_index[1, data[edge_type].receives].numpy()  # each use receives once
        n_uses, uses_of = using.size, np.maximum(np.bincount(using, minlength=n_accounts), 1)
        n_shared, rarity = np.expm1(column[f"{kind}.n"].astype(np.float64)), column[f"{kind}.rarity"]
        # A pair's rarity is the sum of (degree - 1)^-1/2 over what it shares: its mean gives a typical degree.
        degree = 1 + np.divide(n_shared, rarity, out=np.ones_like(n_shared), where=rarity > 0) ** 2
        log_expected = 2 * np.log(degree / n_uses) + np.log(uses_of[one]) + np.log(uses_of[other])
        beyond_chance = np.where(n_shared > 0, np.maximum(-n_shared * log_expected - np.log(n_accounts), 0.0), 0.0)
        family = NODES_BY_LABEL[label].family
        surprise[family] = np.maximum(surprise.get(family, 0.0), beyond_chance)
    return surprise
