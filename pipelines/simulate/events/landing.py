"""A day's rows as the files of the data contract. Every name is made opaque here."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ringwatch.graph_schema.signals import ACCOUNTS, DEVICE_EVENTS, IP_EVENTS, LABELS, PAYMENTS, USAGE_EVENTS, Signal
from ringwatch.pipelines.simulate.events.activity import MODELS, Acting, Usage
from ringwatch.pipelines.simulate.events.labelling import LABEL_SOURCES
from ringwatch.pipelines.simulate.events.payments import STATUSES, Payments
from ringwatch.pipelines.simulate.events.sightings import Sightings
from ringwatch.pipelines.simulate.knobs.declaration import NETWORK_TYPES, PLANS, TASKS
from ringwatch.pipelines.simulate.population.holdings import N_FREE_MAIL
from ringwatch.pipelines.simulate.population.names import opaque_ids, uniform
from ringwatch.pipelines.simulate.population.networks import ip_texts, network_of
from ringwatch.pipelines.simulate.population.state import HOUR_US, NEVER, Labels, State
from ringwatch.pipelines.simulate.population.world import COUNTRIES, World

_CURRENCIES = ("USD", "INR", "BRL", "EUR", "GBP", "JPY", "EUR", "KRW", "CAD", "IDR", "NGN", "MXN", "EUR", "TRY")
_PREPAID_TYPES, _USUAL_TYPES = ("prepaid_card", "crypto", "voucher"), ("card", "card", "card", "wallet", "bank")
_OS = ("Windows", "macOS", "Linux", "Android", "iOS")
_BROWSERS = ("Chrome", "Safari", "Firefox", "Edge", "api-client")
_DEVICE_MODELS = ("desktop", "laptop", "phone-a", "phone-b", "tablet")
_CLOSED = 0.2  # share of those who leave that close their account
_EMAIL_OF_GROUP = 1 << 40
_UNKNOWN = 0.03  # share of optional values that a platform does not have


def write_signals(tables: Mapping[Signal, pa.Table], landing: Path, day: object) -> None:
    """Write a day's partitions; each appears whole and takes the place of one that is there."""
    for signal, table in tables.items():
        if table.num_rows == 0 and signal is not ACCOUNTS:
            continue
        write_whole(table, landing / signal.name / f"date={day}" / "part-0.parquet")


def write_whole(table: pa.Table, target: Path) -> None:
    """Write a Parquet file that appears whole."""
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f"_{target.name}.tmp")
    pq.write_table(table, partial, compression="zstd")
    partial.replace(target)


def _table(signal: Signal, columns: Mapping[str, pa.Array]) -> pa.Table:
    """Columns of a signal in their declared types, sorted by its key, as ids are opaque."""
    schema = pa.schema([(field.name, field.kind.arrow_type) for field in signal.fields])
    names = [field.name for field in signal.fields]
    table = pa.table({name: columns[name] for name in names}).cast(schema)
    order = [(column, "ascending") for column in signal.key if column in names]
    return table.sort_by(order)


def account_ids(world: World, rows: np.ndarray) -> pa.Array:
    """Opaque ids of accounts by row, null for a negative one."""
    return opaque_ids("a_", rows, world.key + 30)


def account_rows(world: World, state: State, rows: np.ndarray, day: int) -> pa.Table:
    """Accounts as they stand at the end of a day."""
    key = world.key
    a = state.accounts.take(rows)
    status = np.select([a.banned < NEVER, is_closed(world, a.leaves, rows, day)], ["suspended", "closed"], "active")
    return _table(
        ACCOUNTS,
        {
            "account_id": account_ids(world, rows),
            "created_at": times_of(a.created // 1_000_000 * 1_000_000),
            "status": pa.array(status),
            "country": words_of([code for code, _, _ in COUNTRIES], a.country),
            "plan": words_of(PLANS, a.plan),
            "email_domain": _domains(world, a.domain),
            "email_hash": opaque_ids("e_", _email_codes(world, state, rows), key + 32),
            "phone_hash": opaque_ids("p_", a.phones[:, 0], key + 33),
            "signup_ip": ip_texts(a.signup_ip, world),
            "referred_by_account_id": account_ids(world, a.referrer),
            "organization_id": opaque_ids("o_", np.where(a.has_organization, a.group, -1), key + 34),
        },
    )


def _email_codes(world: World, state: State, rows: np.ndarray) -> np.ndarray:
    """Codes of e-mail addresses without their aliases: an account's own, its group's, or -1 where not known."""
    kind, group = state.accounts.kind[rows], state.accounts.group[rows]
    is_groups = (uniform(rows, world.key + 31) < world.of("same_email")[kind]) & state.groups.is_group[group]
    codes = np.where(is_groups, _EMAIL_OF_GROUP | group, rows)
    return np.where(uniform(rows, world.key + 32) < _UNKNOWN, -1, codes)


def is_closed(world: World, leaves: np.ndarray, rows: np.ndarray, day: int) -> np.ndarray:
    """Whether accounts are closed by the end of a day: some of those who leave say so."""
    return np.asarray((leaves < world.midnight(day + 1)) & (uniform(rows, world.key + 35) < _CLOSED))


def payment_rows(world: World, state: State, payments: Payments, day: int) -> pa.Table:
    """Payment events."""
    key, n = world.key, len(payments)
    kind, country = state.accounts.kind[payments.account], state.accounts.country[payments.account]
    luck = uniform(payments.card, key + 36)
    is_prepaid = luck < world.of("paying.prepaid")[kind]
    variant = (uniform(payments.card, key + 37) * len(_USUAL_TYPES)).astype(np.int64)
    types = np.where(is_prepaid, np.array(_PREPAID_TYPES)[variant % 3], np.array(_USUAL_TYPES)[variant])
    has_card = payments.card >= 0
    elsewhere = (uniform(payments.card, key + 38) * 40 * len(COUNTRIES)).astype(np.int64)  # one in forty is from abroad
    card_country = np.where(elsewhere < len(COUNTRIES) - 1, elsewhere, country)
    return _table(
        PAYMENTS,
        {
            "payment_id": opaque_ids("t_", (day << 32) | np.arange(n), key + 39),
            "account_id": account_ids(world, payments.account),
            "occurred_at": times_of(payments.at),
            "status": words_of(STATUSES, payments.status),
            "instrument_id": opaque_ids("c_", payments.card, key + 40),
            "instrument_type": pc.if_else(pa.array(has_card), pa.array(types), None),
            "instrument_country": words_of([code for code, _, _ in COUNTRIES], np.where(has_card, card_country, -1)),
            "amount": pa.array(payments.amount, mask=payments.amount < 0),
            "currency": words_of(_CURRENCIES, np.where(payments.amount < 0, -1, country)),
            "payee_account_id": account_ids(world, payments.payee),
        },
    )


def address_rows(world: World, state: State, seen: Sightings) -> pa.Table:
    """Accounts at addresses."""
    networks = state.networks.take(network_of(state.networks, seen.code))
    unknown = uniform(seen.code, world.key + 41) < _UNKNOWN
    return _table(
        IP_EVENTS,
        {
            **_sighting_columns(world, seen),
            "ip": ip_texts(seen.code, world),
            "asn": pa.array(networks.asn, mask=unknown),
            "network_type": words_of(NETWORK_TYPES, np.where(unknown, -1, networks.type)),
            "country": words_of([code for code, _, _ in COUNTRIES], np.where(unknown, -1, networks.country)),
        },
    )


def device_rows(world: World, seen: Sightings) -> pa.Table:
    """Accounts on devices."""
    choice = [uniform(seen.code, world.key + 42 + number) for number in range(3)]
    return _table(
        DEVICE_EVENTS,
        {
            **_sighting_columns(world, seen),
            "device_id": opaque_ids("d_", seen.code, world.key + 45),
            "os": words_of(_OS, (choice[0] * len(_OS)).astype(np.int64)),
            "browser": words_of(_BROWSERS, (choice[1] * len(_BROWSERS)).astype(np.int64)),
            "device_model": words_of(
                _DEVICE_MODELS, np.where(choice[2] < _UNKNOWN, -1, (choice[2] * len(_DEVICE_MODELS)).astype(np.int64))
            ),
        },
    )


def _sighting_columns(world: World, seen: Sightings) -> dict[str, pa.Array]:
    whole = [times // 1_000_000 * 1_000_000 for times in (seen.first, seen.last)]
    return {
        "account_id": account_ids(world, seen.rows),
        "first_seen_at": times_of(whole[0]),
        "last_seen_at": times_of(whole[1]),
        "n_events": pa.array(seen.n_events),
    }


def usage_rows(world: World, acting: Acting, used: Usage, day: int) -> pa.Table:
    """Usage by the hour."""
    return _table(
        USAGE_EVENTS,
        {
            "account_id": account_ids(world, acting.rows[used.acting]),
            "hour_start_at": times_of(world.midnight(day) + used.hour * HOUR_US),
            "task": words_of(TASKS, used.task),
            "template_id": opaque_ids("m_", used.template, world.key + 46),
            "model": words_of(MODELS, used.model),
            "n_requests": pa.array(used.n_requests),
            "n_input_tokens": pa.array(used.n_input_tokens),
            "n_output_tokens": pa.array(used.n_output_tokens),
        },
    )


def label_rows(world: World, labels: Labels) -> pa.Table:
    """Labels that became known."""
    return _table(
        LABELS,
        {
            "account_id": account_ids(world, labels.account),
            "label": pa.array(np.where(labels.is_fake, "fake", "legitimate")),
            "labelled_at": times_of(labels.known),
            "source": words_of(LABEL_SOURCES, labels.source),
            "label_confidence": pa.array(labels.confidence, mask=np.isnan(labels.confidence)),
        },
    )


def times_of(micros: np.ndarray) -> pa.Array:
    """Timestamps in UTC, from microseconds since 1970."""
    return pa.array(micros, pa.int64()).cast(pa.timestamp("us", tz="UTC"))


def words_of(words: Sequence[str], codes: np.ndarray) -> pa.Array:
    """Words by their number, null for a negative one."""
    indices = pa.array(codes, pa.int64(), mask=codes < 0)
    return pa.array(words, pa.string()).take(indices)


def _domains(world: World, codes: np.ndarray) -> pa.Array:
    """E-mail domains: of free mail by rank, of groups and accounts opaque; all in names that no one can register."""
    unique, place = np.unique(codes, return_inverse=True)
    opaque = pc.binary_join_element_wise(opaque_ids("", unique, world.key + 47), "example", ".")
    free = pa.array(
        [f"freemail{code}.example" if 0 <= code < N_FREE_MAIL else None for code in unique.tolist()], pa.string()
    )
    return pc.coalesce(free, opaque).take(pa.array(place))
