"""Great Expectations over one batch of cast rows: which rows fail which expectation.

The only place where rows become a pandas frame. Two passes: a cheap one (BASIC) over the whole suite, whose result
Data Docs shows, and one over the expectations that failed, for the positions of their rows. That one goes
past GX's stores, which copy every position several times, and asks for positions only: a million bad rows take
a fraction of a second.
"""

import logging
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Any

import great_expectations as gx
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from great_expectations.core import ExpectationSuiteValidationResult, ExpectationValidationResult
from great_expectations.core.batch_definition import BatchDefinition
from great_expectations.core.result_format import ResultFormat, ResultFormatUnion
from great_expectations.data_context.types.base import ProgressBarsConfig
from great_expectations.expectations.expectation_configuration import ExpectationConfiguration
from great_expectations.expectations.row_conditions import NullityCondition
from great_expectations.validator.v1_validator import Validator

from ringwatch.pipelines.ingest.validation.suites import DAY_SUFFIX, PARTITION_END

_POSITIONS_ONLY: ResultFormatUnion = {
    "result_format": "COMPLETE",
    "exclude_unexpected_values": True,
    "return_unexpected_index_query": False,
}
_MOMENT = pa.timestamp("us")  # all is UTC, and without saying so pandas compares at once
_TO_LAST_INSTANT = timedelta(days=1) - timedelta(microseconds=1)
_PANDAS_TYPES = {pa.string(): pd.ArrowDtype(pa.string()), pa.int64(): pd.Int64Dtype()}  # nulls leave them as they are


@dataclass(frozen=True)
class Failure:
    """An expectation that rows failed."""

    expectation: str  # its name and its columns
    column: str | None  # whose original value explains it
    fault: str
    rows: np.ndarray[tuple[int], np.dtype[np.int64]]  # [n_failed] positions in the batch, ascending


def run_suite(
    typed: dict[str, pa.Array], partition_days: pa.Array, suite: gx.ExpectationSuite
) -> tuple[list[Failure], ExpectationSuiteValidationResult]:
    """Hold the suite against the rows.

    Args:
        typed: the signal's columns, each [n_rows].
        partition_days: the day of the partition of each row, [n_rows] date32.
        suite: the signal's.

    Returns:
        What failed, and GX's own result for Data Docs.
    """
    frame = _frame(typed, partition_days, suite)
    # What batch.validate() makes anew each time, and hashes the whole frame for: made once for both passes.
    validator = Validator(_frames(), result_format=ResultFormat.BASIC, batch_parameters={"dataframe": frame})
    result = _without_errors(validator.validate_expectation_suite(suite))
    failed = [_config(outcome).to_domain_obj() for outcome in result.results if not outcome.success]
    if not failed:
        return [], result
    validator.result_format = _POSITIONS_ONLY
    positions = validator.validate_expectation_suite(gx.ExpectationSuite(name=suite.name, expectations=failed))
    return [_failure(outcome) for outcome in _without_errors(positions).results], result


@cache
def _frames() -> BatchDefinition[Any]:
    """Where GX takes frames from: one for the process, in memory, without files, progress bars or reports home."""
    logging.getLogger("great_expectations.data_context.types.base").setLevel(logging.WARNING)  # has its own
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    context.enable_analytics(False)
    asset = context.data_sources.add_pandas("signals").add_dataframe_asset("accepted")
    return asset.add_batch_definition_whole_dataframe("rows")


def _frame(typed: dict[str, pa.Array], partition_days: pa.Array, suite: gx.ExpectationSuite) -> pd.DataFrame:
    """The columns that the suite looks at, no more: GX copies the frame for most expectations."""
    columns = {}
    for name in _columns_of(suite):
        if name in typed:
            column = typed[name]
        elif name == PARTITION_END:
            column = pc.add(partition_days.cast(_MOMENT), pa.scalar(_TO_LAST_INSTANT, pa.duration("us")))
        else:
            column = pc.floor_temporal(typed[name.removesuffix(DAY_SUFFIX)], unit="day")
        columns[name] = column.cast(_MOMENT) if pa.types.is_timestamp(column.type) else column
    frame: pd.DataFrame = pa.table(columns).to_pandas(types_mapper=_PANDAS_TYPES.get)
    return frame


def _columns_of(suite: gx.ExpectationSuite) -> list[str]:
    names: dict[str, None] = {}
    for expectation in suite.expectations:
        names.update(dict.fromkeys(_named_by(dict(expectation))))
        condition = getattr(expectation, "row_condition", None)
        if isinstance(condition, NullityCondition):
            names[condition.column.name] = None
    return list(names)


def _named_by(settings: dict[str, Any]) -> list[str]:
    return [settings[key] for key in ("column", "column_A", "column_B") if key in settings]


def _config(outcome: ExpectationValidationResult) -> ExpectationConfiguration:
    if outcome.expectation_config is None:
        raise RuntimeError("Great Expectations gave a result without its expectation")
    return outcome.expectation_config


def _failure(outcome: ExpectationValidationResult) -> Failure:
    config = _config(outcome)
    meta = config.meta or {}
    return Failure(
        expectation=f"{config.type} on {' and '.join(_named_by(config.kwargs))}",
        column=meta["column"],
        fault=meta["fault"],
        rows=np.sort(np.asarray(outcome.result["unexpected_index_list"], dtype=np.int64)),
    )


def _without_errors(result: ExpectationSuiteValidationResult) -> ExpectationSuiteValidationResult:
    """GX reports an expectation that it could not compute as a failed one: that is a fault of ours, not of a row."""
    for outcome in result.results:
        if outcome.exception_info.get("raised_exception", True):  # a failed metric is told under its own name
            raise RuntimeError(f"{_config(outcome).type} could not be computed: {outcome.exception_info}")
    return result
