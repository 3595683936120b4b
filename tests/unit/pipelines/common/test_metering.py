"""A step says in one line what it took; one that fails says nothing."""

import json
import logging
import time

import numpy as np
import pytest

from ringwatch.pipelines.common.metering import listening, metered, peak_memory

pytestmark = pytest.mark.unit


def test_a_step_logs_its_rows_seconds_and_memory_in_one_line(caplog):
    with caplog.at_level(logging.INFO, logger="ringwatch.steps"), metered("check", signal="accounts") as meter:
        time.sleep(0.02)
        meter.rows = 100
    [record] = caplog.records
    line = json.loads(record.getMessage())
    assert (line["step"], line["rows"], line["signal"]) == ("check", 100, "accounts")
    assert line["seconds"] >= 0.02
    assert 0 < line["rows_per_s"] <= 5_000
    assert line["peak_mb"] > 10


def test_what_listens_hears_the_steps_inside_and_no_others():
    with metered("before"):
        pass
    with listening() as lines:
        with metered("inside"):
            pass
        with pytest.raises(ZeroDivisionError), metered("failed"):
            _ = 1 / 0
    with metered("after"):
        pass
    assert [line["step"] for line in lines] == ["inside"]


def test_memory_that_is_held_only_for_a_while_counts():
    with peak_memory() as peak:
        before = peak[0]
        held = np.ones(25_000_000)
        time.sleep(0.3)
        del held
    assert peak[0] - before > 150_000_000
