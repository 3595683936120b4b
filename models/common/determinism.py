"""Numbers that come out the same each time: one thread, seeded, only deterministic kernels."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch.utils import deterministic as uninitialized


@contextmanager
def deterministic(seed: int) -> Iterator[None]:
    """Run torch so that the same inputs and seed give the same bits; the caller's settings come back afterwards.

    One thread, because the order of a sum over threads is not fixed and differs between machines.
    """
    n_threads, was_deterministic = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    was_filling = uninitialized.fill_uninitialized_memory  # type: ignore[attr-defined]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        torch.set_num_threads(1)
        torch.use_deterministic_algorithms(True)
        uninitialized.fill_uninitialized_memory = False  # type: ignore[attr-defined]  # it costs a tenth of the time
        try:
            yield
        finally:
            torch.use_deterministic_algorithms(was_deterministic)
            uninitialized.fill_uninitialized_memory = was_filling  # type: ignore[attr-defined]
            torch.set_num_threads(n_threads)
