"""A process that works on large blocks holds them no longer than it uses them."""

import os
import platform
import subprocess
import sys
from pathlib import Path

import numpy as np
import psutil
import pytest

from ringwatch.models.common.memory import hold_no_freed_memory

pytestmark = pytest.mark.unit

_N_BLOCKS, _BLOCK_BYTES = 10, 16 << 20


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another allocator than glibc's")
def test_blocks_that_are_freed_go_back_to_the_system() -> None:
    hold_no_freed_memory()
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


_SCORES = """
import os
from pathlib import Path
import tests.builders.worlds
import ringwatch.models, ringwatch.models.training.training, ringwatch.models.scoring.scoring as scoring
from ringwatch.models.registry.default_model import default_model
assert "THP_MEM_ALLOC_ENABLE" not in os.environ
scoring.score(default_model(), tests.builders.worlds.planted_world().snapshot)
assert os.environ["THP_MEM_ALLOC_ENABLE"] == "1"
"""


def _run(code: str, **environment: str) -> None:
    kept = {name: value for name, value in os.environ.items() if name != "THP_MEM_ALLOC_ENABLE"}
    subprocess.run([sys.executable, "-c", code], env=kept | environment, check=True, timeout=200)


def test_an_import_leaves_the_allocator_alone_and_scoring_leaves_no_file_behind(tmp_path: Path) -> None:
    _run(_SCORES, TMPDIR=str(tmp_path))
    assert list(tmp_path.iterdir()) == []
