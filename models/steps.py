"""Ranks as a network takes them: their place, whether they are unknown, and how far they have come through each eighth.

The last (piecewise linear encoding: Gorishniy et al., arXiv 2203.05556) is what lets a network see what a tree finds by
cutting. It makes ten columns of one, so a graph carries the ranks and a network has them unfolded at its door.
"""

from collections.abc import Sequence

import numpy as np

N_STEPS = 8
_RANK_SPREAD = 12**-0.5  # standard deviation of ranks in 0..1


def step_inputs(names: Sequence[str]) -> tuple[str, ...]:
    """Names of the inputs that ranks of these names unfold into, ten each."""
    return (
        *names,
        *(f"{name}=unknown" for name in names),
        *(f"{name}>{step}/{N_STEPS}" for name in names for step in range(N_STEPS)),
    )


def unfolded(ranks: np.ndarray, names: Sequence[str], wanted: Sequence[str]) -> np.ndarray:
    """Inputs of the names wanted, `[n_accounts, n_wanted] float32`, of ranks `[n_accounts, n_names]`, NaN for unknown.

    A place is standardised and 0 where unknown, as are the steps. A rank that the graph lacks is unknown to all.
    """
    column_of = {name: ranks[:, position] for position, name in enumerate(names)}
    unknown = np.full(len(ranks), np.nan, dtype=np.float32)
    inputs = np.empty((len(ranks), len(wanted)), dtype=np.float32)  # filled by column, to hold no copy
    for position, input_ in enumerate(wanted):
        name, form, step = _parsed(input_)
        rank = column_of.get(name, unknown)
        if form == "=":
            inputs[:, position] = np.isnan(rank)
        elif form == ">":
            inputs[:, position] = np.nan_to_num(np.clip(rank * N_STEPS - step, 0, 1))
        else:
            inputs[:, position] = np.nan_to_num((rank - 0.5) / _RANK_SPREAD)
    return inputs


def _parsed(input_: str) -> tuple[str, str, int]:
    """Name of the rank, form of the input, and which step it is."""
    if input_.endswith("=unknown"):
        return input_.removesuffix("=unknown"), "=", 0
    name, form, step = input_.partition(">")
    return name, form, int(step.partition("/")[0] or 0)
