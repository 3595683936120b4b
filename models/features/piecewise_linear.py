"""Piecewise-linear encoding of ranks (Gorishniy et al., arXiv 2203.05556): the rank, whether it is unknown, eight bins.

The bins let a network find the thresholds that a tree finds by splitting. The encoding makes ten columns of one, so a
graph carries the ranks, and the network encodes them as its first step.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

N_BINS = 8
_FORMS = ("", "=", ">")  # the rank, whether it is unknown, a bin
_RANK_SPREAD = 12**-0.5  # standard deviation of ranks in 0..1


def encoded_names(names: Sequence[str]) -> tuple[str, ...]:
    """Names of the encoded inputs of ranks of these names, ten each."""
    return (
        *names,
        *(f"{name}=unknown" for name in names),
        *(f"{name}>{number}/{N_BINS}" for name in names for number in range(N_BINS)),
    )


class PiecewiseLinearEncoding:
    """Encodes ranks as network inputs.

    Attributes:
        names: of the ranks that it takes, in the order in which it takes them.
    """

    def __init__(self, inputs: Sequence[str]) -> None:
        """An encoder to inputs of these names, in the order of `encoded_names`."""
        parsed = [_parsed(input_) for input_ in inputs]
        self.names = tuple(dict.fromkeys(name for name, _, _ in parsed))
        at = {name: position for position, name in enumerate(self.names)}
        columns = {form: [at[name] for name, its_form, _ in parsed if its_form == form] for form in _FORMS}
        if [form for _, form, _ in parsed] != [form for form in _FORMS for _ in columns[form]]:
            raise ValueError("inputs come in the order of encoded_names")
        self._columns = [torch.tensor(columns[form], dtype=torch.int64) for form in _FORMS]
        self._bin = torch.tensor([number for _, form, number in parsed if form == ">"], dtype=torch.float32)

    def __call__(self, ranks: Tensor) -> Tensor:
        """Ranks `[n_accounts, n_names]`, NaN for unknown → inputs `[n_accounts, n_inputs] float32`.

        A rank is standardised, and 0 where unknown; so are the bins, from 0 below the bin to 1 above it.
        """
        plain, unknown, binned = self._columns
        standardised = ((ranks[:, plain] - 0.5) / _RANK_SPREAD).nan_to_num(0.0)
        is_unknown = ranks[:, unknown].isnan().float()
        bins = (ranks * N_BINS)[:, binned].sub_(self._bin).clamp_(0, 1).nan_to_num_(0.0)
        return torch.cat([standardised, is_unknown, bins], dim=1)


def _parsed(input_: str) -> tuple[str, str, int]:
    """Name of the rank, form of the input, and number of the bin."""
    if input_.endswith("=unknown"):
        return input_.removesuffix("=unknown"), "=", 0
    name, form, number = input_.partition(">")
    return name, form, int(number.partition("/")[0] or 0)
