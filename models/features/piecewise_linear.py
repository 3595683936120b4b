"""Ranks as a network takes them: their place, whether they are unknown, and how far they have come through each eighth.

The last (piecewise linear encoding: Gorishniy et al., arXiv 2203.05556) is what lets a network see what a tree finds by
cutting. It makes ten columns of one, so a graph carries the ranks and a network unfolds them at its door.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

N_STEPS = 8
_FORMS = ("", "=", ">")  # a place, whether it is unknown, a step
_RANK_SPREAD = 12**-0.5  # standard deviation of ranks in 0..1


def step_inputs(names: Sequence[str]) -> tuple[str, ...]:
    """Names of the inputs that ranks of these names unfold into, ten each."""
    return (
        *names,
        *(f"{name}=unknown" for name in names),
        *(f"{name}>{step}/{N_STEPS}" for name in names for step in range(N_STEPS)),
    )


class Unfolding:
    """Makes inputs of ranks.

    Attributes:
        names: of the ranks that it takes, in the order in which it takes them.
    """

    def __init__(self, inputs: Sequence[str]) -> None:
        """What unfolds ranks into inputs of these names, which come as in `step_inputs`."""
        parsed = [_parsed(input_) for input_ in inputs]
        self.names = tuple(dict.fromkeys(name for name, _, _ in parsed))
        at = {name: position for position, name in enumerate(self.names)}
        columns = {form: [at[name] for name, its_form, _ in parsed if its_form == form] for form in _FORMS}
        if [form for _, form, _ in parsed] != [form for form in _FORMS for _ in columns[form]]:
            raise ValueError("inputs come in the order of step_inputs")
        self._columns = [torch.tensor(columns[form], dtype=torch.int64) for form in _FORMS]
        self._step = torch.tensor([step for _, form, step in parsed if form == ">"], dtype=torch.float32)

    def __call__(self, ranks: Tensor) -> Tensor:
        """Ranks `[n_accounts, n_names]`, NaN for unknown → inputs `[n_accounts, n_inputs] float32`.

        A place is standardised and 0 where unknown, as are the steps.
        """
        placed, told_unknown, stepped = self._columns
        place = ((ranks[:, placed] - 0.5) / _RANK_SPREAD).nan_to_num(0.0)
        is_unknown = ranks[:, told_unknown].isnan().float()
        steps = (ranks * N_STEPS)[:, stepped].sub_(self._step).clamp_(0, 1).nan_to_num_(0.0)
        return torch.cat([place, is_unknown, steps], dim=1)


def _parsed(input_: str) -> tuple[str, str, int]:
    """Name of the rank, form of the input, and which step it is."""
    if input_.endswith("=unknown"):
        return input_.removesuffix("=unknown"), "=", 0
    name, form, step = input_.partition(">")
    return name, form, int(step.partition("/")[0] or 0)
