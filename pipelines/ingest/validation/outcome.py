"""What becomes of the rows of one batch: which go on, typed, and which go to quarantine, as they were, and why."""

import json
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from great_expectations.core import ExpectationSuiteValidationResult

from ringwatch.graph_schema.signals import Derived, Field, Signal
from ringwatch.pipelines.ingest.batches import Batch
from ringwatch.pipelines.ingest.casting.cast import as_text, cast_column, derive_column
from ringwatch.pipelines.ingest.validation.expectations import Failure, run_suite
from ringwatch.pipelines.ingest.validation.suites import suite_of
from ringwatch.pipelines.ledger.quarantine import quarantine_schema
from ringwatch.pipelines.ledger.store import rows_schema

_MAX_SHOWN = 200  # characters of an original value in a reason


@dataclass(frozen=True)
class ValidationOutcome:
    """Both tables have a `partition` (date32 and text); together they hold every row of the batch once."""

    accepted: pa.Table
    quarantined: pa.Table
    failures: tuple[Failure, ...]
    origin: pa.Table  # where each row of the batch comes from
    result: ExpectationSuiteValidationResult  # Great Expectations' own, for Data Docs


def validate_batch(signal: Signal, batch: Batch) -> ValidationOutcome:
    """Cast and check the rows of a batch."""
    origin = batch.origin()
    typed: dict[str, pa.Array] = {}
    wrong: dict[str, pa.Array] = {}
    for field in signal.fields:
        typed[field.name], wrong[field.name] = _cast(batch, field, origin.num_rows)
    failures, result = run_suite(typed, origin["partition"].combine_chunks(), suite_of(signal))
    bad = np.zeros(origin.num_rows, dtype=bool)
    for failure in failures:
        bad[failure.rows] = True
    return ValidationOutcome(
        accepted=_accepted(signal, batch, origin, typed, wrong, good=np.flatnonzero(~bad)),
        quarantined=_quarantined(signal, batch, origin, failures, bad=np.flatnonzero(bad)),
        failures=tuple(failures),
        origin=origin,
        result=result,
    )


def _cast(batch: Batch, field: Field, n_rows: int) -> tuple[pa.Array, pa.Array]:
    if field.name not in batch.raw.column_names:
        return pa.nulls(n_rows, field.kind.arrow_type), pa.repeat(pa.scalar(False), n_rows)
    return cast_column(batch.raw[field.name], field)


def _accepted(
    signal: Signal,
    batch: Batch,
    origin: pa.Table,
    typed: dict[str, pa.Array],
    wrong: dict[str, pa.Array],
    good: np.ndarray[tuple[int], np.dtype[np.int64]],
) -> pa.Table:
    rows = pa.array(good)
    columns = {name: column.take(rows) for name, column in typed.items()}
    nulled = {field.name: wrong[field.name].take(rows) for field in signal.fields if not field.required}
    if signal.other_account:  # an account has no relationship with itself
        same = pc.fill_null(pc.equal(columns[signal.other_account], columns["account_id"]), False)
        columns[signal.other_account] = pc.if_else(same, pa.scalar(None, pa.string()), columns[signal.other_account])
        nulled[signal.other_account] = pc.or_(nulled[signal.other_account], same)
    for column in signal.columns:
        if isinstance(column, Derived):
            columns[column.name] = derive_column(columns[column.source], column)
    places = origin.take(rows)
    columns |= {name: places[name] for name in ("file", "row", "precedence")}
    columns["nulled"] = _nulled(signal, batch.raw, nulled, good)
    table = pa.table([columns[name] for name in rows_schema(signal).names], schema=rows_schema(signal))
    return table.append_column("partition", places["partition"])


def _nulled(
    signal: Signal, raw: pa.Table, nulled: dict[str, pa.Array], good: np.ndarray[tuple[int], np.dtype[np.int64]]
) -> pa.Array:
    """For each good row the original values that became null, as a JSON object; null where none did."""
    lost: dict[int, dict[str, str]] = {}
    for name, mask in nulled.items():
        rows = np.flatnonzero(mask.to_numpy(zero_copy_only=False))
        if len(rows):
            originals = as_text(raw[name].take(pa.array(good[rows])), signal.field(name)).to_pylist()
            for row, original in zip(rows.tolist(), originals, strict=True):
                lost.setdefault(row, {})[name] = original
    texts: list[str | None] = [None] * len(good)
    for row, fields in lost.items():
        texts[row] = json.dumps(fields)
    return pa.array(texts, pa.string())


def _quarantined(
    signal: Signal,
    batch: Batch,
    origin: pa.Table,
    failures: list[Failure],
    bad: np.ndarray[tuple[int], np.dtype[np.int64]],
) -> pa.Table:
    schema = quarantine_schema(signal)
    if not len(bad):
        return schema.empty_table()
    rows = pa.array(bad)
    raw = batch.raw
    columns = {name: as_text(raw[name].take(rows), signal.field(name)) for name in raw.column_names}
    places = origin.take(rows)
    columns["signal"] = pa.repeat(pa.scalar(signal.name), len(bad))
    columns["partition"] = places["partition"].cast(pa.string())
    columns |= {name: places[name] for name in ("file", "row")}
    columns["reason"] = _reasons(raw, columns, failures, bad)
    return pa.table([columns.get(name, pa.nulls(len(bad), pa.string())) for name in schema.names], schema=schema)


def _reasons(
    raw: pa.Table,
    originals: dict[str, pa.Array],
    failures: list[Failure],
    bad: np.ndarray[tuple[int], np.dtype[np.int64]],
) -> pa.Array:
    """One sentence part for each expectation that a row failed, joined: [n_bad] string."""
    parts = []
    for failure in failures:
        failed = pa.array(np.isin(bad, failure.rows, assume_unique=True))
        parts.append(pc.if_else(failed, _fault(raw, originals, failure, len(bad)), pa.scalar(None, pa.string())))
    return pc.binary_join_element_wise(*parts, "; ", null_handling="skip")


def _fault(raw: pa.Table, originals: dict[str, pa.Array], failure: Failure, n_bad: int) -> pa.Array:
    name = failure.column
    if name is None:
        return pa.repeat(pa.scalar(failure.fault), n_bad)
    if name not in raw.column_names:
        return pa.repeat(pa.scalar(f"{name} is missing: the file has no such column"), n_bad)
    original = originals[name]
    shown = pc.utf8_slice_codeunits(original, 0, _MAX_SHOWN)
    is_cut = pc.greater(pc.utf8_length(original), _MAX_SHOWN)
    shown = pc.if_else(is_cut, pc.binary_join_element_wise(shown, "...", ""), shown)
    told = pc.binary_join_element_wise(f"{name} '", shown, f"' {failure.fault}", "")
    return pc.if_else(pc.fill_null(pc.equal(original, ""), True), pa.scalar(f"{name} is missing"), told)
