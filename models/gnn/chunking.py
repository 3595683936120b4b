"""Computation on many rows in chunks, so that the memory it takes does not grow with them.

A graph that fits in one chunk is computed as a whole. Sums over chunks differ from sums over all by rounding alone.
"""

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.utils.checkpoint import checkpoint

CHUNK_ROWS = 250_000  # 32 numbers of each are 32 MB; what a network computes for a row on its way is ten times that


def chunks(n_rows: int) -> Iterator[slice]:
    """Consecutive rows, CHUNK_ROWS of them at a time; there is always at least one chunk, if an empty one."""
    for begin in range(0, max(n_rows, 1), CHUNK_ROWS):
        yield slice(begin, min(begin + CHUNK_ROWS, n_rows))


def map_chunks(function: Callable[..., Tensor], *rows: Tensor) -> Tensor:
    """A function of some tensors' rows, computed chunk by chunk and concatenated."""
    of_chunks = [[each[chunk] for each in rows] for chunk in chunks(len(rows[0]))]
    return torch.cat([checkpointed(function, *of_chunk, is_whole=len(of_chunks) == 1) for of_chunk in of_chunks])


def is_one_chunk(n_rows: int) -> bool:
    """Whether so many rows are computed as a whole."""
    return n_rows <= CHUNK_ROWS


def group_chunks(group: Tensor, n_groups: int) -> Iterator[tuple[Tensor | slice, int, int]]:
    """Rows of consecutive groups, as many as make a chunk: no group is in two, so a larger one is a chunk alone.

    Args:
        group: `[n_rows] int64` number of each row's group.
        n_groups: how many there are.

    Yields:
        The rows, ordered by group where there is more than one chunk, and the first of their groups and the one after
        the last.
    """
    if is_one_chunk(group.numel()):
        yield slice(None), 0, n_groups
        return
    order, ends = group.argsort(stable=True), torch.bincount(group, minlength=n_groups).cumsum(0)
    first, begin = 0, 0
    while first < n_groups:
        after = max(int(torch.searchsorted(ends, begin + CHUNK_ROWS, right=True)), first + 1)
        end = int(ends[after - 1])
        if end > begin:
            yield order[begin:end], first, after
        first, begin = after, end


def checkpointed(function: Callable[..., Tensor], *inputs: object, is_whole: bool) -> Tensor:
    """The function's value. For a chunk, where gradients are needed, it is recomputed for them and not kept."""
    if is_whole or not torch.is_grad_enabled():
        return function(*inputs)
    value: Tensor = checkpoint(function, *inputs, use_reentrant=False)
    return value


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
