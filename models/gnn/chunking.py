"""Work on many rows in parts, so that the memory it takes does not grow with them.

A graph that fits in one part is worked on as a whole. Sums over parts differ from sums over all by rounding alone.
"""

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.utils.checkpoint import checkpoint

PART_ROWS = 250_000  # 32 numbers of each are 32 MB; what a network works out of a row on its way is ten times that


def parts(n_rows: int) -> Iterator[slice]:
    """Consecutive rows, PART_ROWS of them at a time; one part, if an empty one, there always is."""
    for begin in range(0, max(n_rows, 1), PART_ROWS):
        yield slice(begin, min(begin + PART_ROWS, n_rows))


def in_parts(work: Callable[..., Tensor], *rows: Tensor) -> Tensor:
    """What the work gives of some tensors' rows, part by part, one below the other."""
    of_parts = [[each[part] for each in rows] for part in parts(len(rows[0]))]
    return torch.cat([sparingly(work, *of_part, is_whole=len(of_parts) == 1) for of_part in of_parts])


def is_one_part(n_rows: int) -> bool:
    """Whether so many rows are worked on as a whole."""
    return n_rows <= PART_ROWS


def whole_groups(group: Tensor, n_groups: int) -> Iterator[tuple[Tensor | slice, int, int]]:
    """Rows of consecutive groups, as many as make a part: no group is in two, so one that is larger is a part alone.

    Args:
        group: `[n_rows] int64` number of each row's group.
        n_groups: how many there are.

    Yields:
        The rows, ordered by group where there is more than one part, and the first of their groups and the one after
        the last.
    """
    if is_one_part(group.numel()):
        yield slice(None), 0, n_groups
        return
    order, ends = group.argsort(stable=True), torch.bincount(group, minlength=n_groups).cumsum(0)
    first, begin = 0, 0
    while first < n_groups:
        after = max(int(torch.searchsorted(ends, begin + PART_ROWS, right=True)), first + 1)
        end = int(ends[after - 1])
        if end > begin:
            yield order[begin:end], first, after
        first, begin = after, end


def sparingly(work: Callable[..., Tensor], *inputs: object, is_whole: bool) -> Tensor:
    """What the work gives. Of a part, where gradients are wanted, it is worked out again for them and not kept."""
    if is_whole or not torch.is_grad_enabled():
        return work(*inputs)
    again: Tensor = checkpoint(work, *inputs, use_reentrant=False)
    return again


class _AddRows(Function):
    @staticmethod
    def forward(ctx: Any, total: Tensor, index: Tensor, rows: Tensor) -> Tensor:
        ctx.mark_dirty(total)
        ctx.save_for_backward(index)
        return total.index_add_(0, index, rows)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, Tensor]:
        [index] = ctx.saved_tensors
        return grad, None, grad.index_select(0, index)


def add_rows(total: Tensor, index: Tensor, rows: Tensor) -> Tensor:
    """The total with rows added at an index, in place; torch's own `index_add_` keeps the rows for their gradient."""
    added: Tensor = _AddRows.apply(total, index, rows)
    return added
