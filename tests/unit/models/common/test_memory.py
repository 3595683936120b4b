"""A process that works on large blocks holds them no longer than it uses them."""

import platform

import numpy as np
import psutil
import pytest

import ringwatch.models  # noqa: F401  # which sets how this process holds memory

pytestmark = pytest.mark.unit

_N_BLOCKS, _BLOCK_BYTES = 10, 16 << 20


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another allocator than glibc's")
def test_blocks_that_are_freed_go_back_to_the_system() -> None:
    process, pins = psutil.Process(), []
    np.ones(20 << 20, dtype=np.uint8)  # after which glibc would by itself take such blocks from its pool
    before = process.memory_info().rss
    blocks = []
    for _ in range(_N_BLOCKS):
        blocks.append(np.ones(_BLOCK_BYTES, dtype=np.uint8))
        pins.append(np.ones(100_000, dtype=np.uint8))  # lies behind the block in the pool, and stays
    held = process.memory_info().rss
    del blocks
    assert held - before > 0.9 * _N_BLOCKS * _BLOCK_BYTES
    assert process.memory_info().rss - before < 2 * _BLOCK_BYTES
    assert len(pins) == _N_BLOCKS
