"""Memory of this process: freed blocks go back to the system at once, and fresh ones come in huge pages."""

import ctypes
import os
from functools import cache

_M_MMAP_THRESHOLD = -3  # of mallopt(3)
_FROM_BYTES = 4 << 20


@cache
def hold_no_freed_memory() -> None:
    """Have freed blocks of 4 MB and more returned at once, from now on in this process.

    Called where a model is read and where a graph is made, which is before torch makes its first tensor. The allocator
    of glibc keeps blocks of up to 32 MB for later, for each thread its own, and most of what a network computes for a
    chunk is smaller: at a million accounts 4 GB were held that nobody used. Fresh blocks cost a fault a page, a fifth
    of the time of an epoch, which huge pages save. Where there is no such allocator, nothing is done.
    """
    set_option = getattr(ctypes.CDLL(None), "mallopt", None)
    if set_option is not None:
        set_option(_M_MMAP_THRESHOLD, _FROM_BYTES)
        os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")  # read by torch
