"""Great Expectations' results as Data Docs shows them: those of several batches as one, samples that it can show."""

from collections.abc import Sequence
from typing import Any

import pandas as pd
from great_expectations.core import ExpectationSuiteValidationResult, ExpectationValidationResult

_N_SAMPLES = 20
_SUMS = ("element_count", "unexpected_count", "missing_count")


def merge_results(results: Sequence[ExpectationSuiteValidationResult]) -> ExpectationSuiteValidationResult:
    """One result for all the batches that a suite was held against."""
    outcomes = [_merge_outcomes(of_batches) for of_batches in zip(*(one.results for one in results), strict=True)]
    n_passed = sum(bool(outcome.success) for outcome in outcomes)
    return ExpectationSuiteValidationResult(
        success=n_passed == len(outcomes),
        results=outcomes,
        suite_name=results[0].suite_name,
        statistics={
            "evaluated_expectations": len(outcomes),
            "successful_expectations": n_passed,
            "unsuccessful_expectations": len(outcomes) - n_passed,
            "success_percent": 100 * n_passed / len(outcomes),
        },
    )


def failed_expectations(result: ExpectationSuiteValidationResult) -> dict[str, int]:
    """Number of rows that failed each expectation, by its name and column."""
    failed = {}
    for outcome in result.results:
        config = outcome.expectation_config
        if config is not None and not outcome.success:
            column = config.kwargs.get("column", config.kwargs.get("column_B"))
            failed[f"{config.type} on {column}"] = outcome.result["unexpected_count"]
    return failed


def _merge_outcomes(outcomes: Sequence[ExpectationValidationResult]) -> ExpectationValidationResult:
    merged: dict[str, Any] = {
        key: sum(outcome.result.get(key, 0) for outcome in outcomes) for key in _SUMS if key in outcomes[0].result
    }
    n_rows, n_missing = merged["element_count"], merged.get("missing_count", 0)
    merged["unexpected_percent"] = _percent(merged["unexpected_count"], n_rows - n_missing)
    if "missing_count" in merged:
        merged["missing_percent"] = _percent(n_missing, n_rows)
        merged["unexpected_percent_total"] = _percent(merged["unexpected_count"], n_rows)
        merged["unexpected_percent_nonmissing"] = merged["unexpected_percent"]
    samples = [value for outcome in outcomes for value in outcome.result.get("partial_unexpected_list", ())]
    merged["partial_unexpected_list"] = [value for value in samples if not _is_missing(value)][:_N_SAMPLES]
    return ExpectationValidationResult(
        success=all(outcome.success for outcome in outcomes),
        expectation_config=outcomes[0].expectation_config,
        result=merged,
    )


def _is_missing(value: object) -> bool:
    """Null is no sample of anything, and GX's renderer stumbles over pandas' NA."""
    return value is None or value is pd.NA or value is pd.NaT


def _percent(part: int, whole: int) -> float:
    return 100 * part / whole if whole else 0.0
