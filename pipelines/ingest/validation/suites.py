"""One Great Expectations suite a signal: what each row must keep to, or go to quarantine.

Most of a suite follows from the signal's declaration: what is required is there, and is what it may be; no time is
after its partition's day. A rule that is more than the declaration stands in `_RULES`, under its signal.

An expectation's `meta` says how to tell a person what a failing row did wrong: `column`, whose original value
goes into the sentence, and `fault`. The frame that a suite checks has the signal's columns, cast, and beside them
PARTITION_END (the last instant of the partition's day) and, for each timestamp t, `t` + DAY_SUFFIX.
"""

from functools import cache

import great_expectations as gx
import great_expectations.expectations as gxe
from great_expectations.expectations.expectation import Expectation
from great_expectations.expectations.row_conditions import Column

from ringwatch.graph_schema.signals import DEVICE_EVENTS, IP_EVENTS, LABELS, PAYMENTS, Field, Kind, Signal
from ringwatch.pipelines.ingest.casting.values import MAX_ID_LENGTH

PARTITION_END = "partition_end"
DAY_SUFFIX = "_day"  # start of the UTC day of a timestamp

_WANTED = {
    Kind.ID: f"an id of 1 to {MAX_ID_LENGTH} characters",
    Kind.TEXT: "a text",
    Kind.TIMESTAMP: "a time in ISO 8601",
    Kind.INTEGER: "an integer of 64 bits",
    Kind.NUMBER: "a finite number",
    Kind.IP: "an IPv4 or IPv6 address",
    Kind.DOMAIN: "a domain",
    Kind.COUNTRY: "a country code of two letters",
    Kind.CURRENCY: "a currency code of three letters",
}


@cache
def suite_of(signal: Signal) -> gx.ExpectationSuite:
    """The signal's suite."""
    expectations: list[Expectation] = []
    for field in signal.required_fields:
        expectations += _required(field)
    for name in signal.timestamps:
        expectations.append(
            gxe.ExpectColumnPairValuesAToBeGreaterThanB(
                column_A=PARTITION_END,
                column_B=name,
                or_equal=True,
                ignore_row_if="either_value_is_missing",
                meta={"column": name, "fault": "is after the partition's day"},
            )
        )
    return gx.ExpectationSuite(name=signal.name, expectations=[*expectations, *_RULES.get(signal.name, ())])


def _required(field: Field) -> list[Expectation]:
    wanted = f"one of {', '.join(field.one_of)}" if field.one_of else _WANTED[field.kind]
    meta = {"column": field.name, "fault": f"is not {wanted}"}
    expectations: list[Expectation] = [gxe.ExpectColumnValuesToNotBeNull(column=field.name, meta=meta)]
    if field.one_of:
        expectations.append(gxe.ExpectColumnValuesToBeInSet(column=field.name, value_set=list(field.one_of), meta=meta))
    if field.kind is Kind.ID:
        expectations.append(
            gxe.ExpectColumnValueLengthsToBeBetween(column=field.name, min_value=1, max_value=MAX_ID_LENGTH, meta=meta)
        )
    if field.minimum is not None or field.maximum is not None:
        expectations.append(_between(field.name, field.minimum, field.maximum))
    return expectations


def _between(name: str, minimum: float | None, maximum: float | None) -> Expectation:
    bounds = [f"at least {minimum:g}"] if minimum is not None else []
    bounds += [f"at most {maximum:g}"] if maximum is not None else []
    return gxe.ExpectColumnValuesToBeBetween(
        column=name,
        min_value=minimum,
        max_value=maximum,
        meta={"column": name, "fault": f"is not {' and '.join(bounds)}"},
    )


def _not_before(later: str, earlier: str) -> Expectation:
    return gxe.ExpectColumnPairValuesAToBeGreaterThanB(
        column_A=later,
        column_B=earlier,
        or_equal=True,
        ignore_row_if="either_value_is_missing",
        meta={"column": later, "fault": f"is before {earlier}"},
    )


def _seen_on_one_day() -> tuple[Expectation, ...]:
    return (
        _not_before("last_seen_at", "first_seen_at"),
        gxe.ExpectColumnPairValuesToBeEqual(
            column_A="first_seen_at" + DAY_SUFFIX,
            column_B="last_seen_at" + DAY_SUFFIX,
            ignore_row_if="either_value_is_missing",
            meta={"column": "last_seen_at", "fault": "is not on the UTC day of first_seen_at"},
        ),
    )


_RULES: dict[str, tuple[Expectation, ...]] = {
    PAYMENTS.name: (
        gxe.ExpectColumnValuesToNotBeNull(
            column="payee_account_id",
            row_condition=Column("instrument_id").is_null(),
            meta={"column": None, "fault": "neither instrument_id nor payee_account_id is set"},
        ),
    ),
    IP_EVENTS.name: _seen_on_one_day(),
    DEVICE_EVENTS.name: _seen_on_one_day(),
    LABELS.name: (_between("label_confidence", 0, 1),),
}
