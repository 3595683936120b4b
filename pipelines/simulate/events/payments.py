"""Payments of one day: instruments added, plans and top-ups paid, failed, refunded, charged back; transfers."""

from dataclasses import dataclass

import numpy as np

from ringwatch.pipelines.simulate.knobs.declaration import PLANS
from ringwatch.pipelines.simulate.population.holdings import renew
from ringwatch.pipelines.simulate.population.names import uniform
from ringwatch.pipelines.simulate.population.state import DAY_US, N_SLOTS, Columns, Disputes, State
from ringwatch.pipelines.simulate.population.world import World

STATUSES = ("instrument_added", "succeeded", "failed", "refunded", "chargeback")
_ADDED, _SUCCEEDED, _FAILED, _REFUNDED, _CHARGED_BACK = range(5)
_MONTHLY = np.array([0.0, 20.0, 60.0, 900.0])  # price of each plan
_REFUNDED_SHARE = 0.01
_NO_AMOUNT = -1.0


@dataclass
class Payments(Columns):
    """Payment events, one row each."""

    account: np.ndarray  # [n] int64
    at: np.ndarray  # [n] int64, microseconds since 1970
    status: np.ndarray  # [n] int64, in STATUSES
    card: np.ndarray  # [n] int64 code, -1 for none
    amount: np.ndarray  # [n] float64, negative for none
    payee: np.ndarray  # [n] int64 row, -1 for none


def payments_of(world: World, state: State, day: int) -> Payments:
    """Payments of a day; the first day also tells of the instruments added before it."""
    accounts, rng = state.accounts, world.chance("payments", day)
    begin, end = world.midnight(day), world.midnight(day + 1)
    begins = accounts.pays
    is_customer = (begins < end) & (accounts.leaves >= end) & (accounts.banned >= end)
    paying = np.flatnonzero(is_customer & (accounts.plan != PLANS.index("free")) & (accounts.cards[:, 0] >= 0))
    is_new = (begins[paying] >= begin) | (day == 0)
    found = _added(accounts.cards, paying[is_new], begins[paying[is_new]])
    renewing, cards = renew(world, state, "cards", paying[~is_new], rng)
    found.append(_rows(renewing, _during(renewing.size, begin, rng), _ADDED, cards, _NO_AMOUNT))
    charges = _charges(world, state, paying[begins[paying] < begin], day, rng)
    found.append(charges)
    _dispute(world, state, charges, rng)
    refunds = charges.take((charges.status == _SUCCEEDED) & (rng.random(len(charges)) < _REFUNDED_SHARE))
    refunds.status[:] = _REFUNDED
    refunds.at = refunds.at + (rng.random(len(refunds)) * (end - 1 - refunds.at)).astype(np.int64)
    found.append(refunds)
    found.append(_due_disputes(state, end))
    found.append(_transfers(world, state, np.flatnonzero(is_customer & (begins < begin)), begin, rng))
    found.at = found.at // 1_000_000 * 1_000_000  # whole seconds
    return found


def _rows(
    account: np.ndarray,
    at: np.ndarray,
    status: int | np.ndarray,
    card: int | np.ndarray,
    amount: float | np.ndarray,
    payee: int | np.ndarray = -1,
) -> Payments:
    n = account.size
    full = (
        np.broadcast_to(np.asarray(each, dtype=type_), n).copy()
        for each, type_ in ((status, np.int64), (card, np.int64), (amount, np.float64), (payee, np.int64))
    )
    status_, card_, amount_, payee_ = full
    return Payments(account, at, status_, card_, amount_, payee_)


def _added(cards: np.ndarray, rows: np.ndarray, begins: np.ndarray) -> Payments:
    """The instruments that accounts begin with, one after the other."""
    slot = np.tile(np.arange(N_SLOTS), rows.size)
    account, at = np.repeat(rows, N_SLOTS), np.repeat(begins, N_SLOTS)
    has = cards[account, slot] >= 0
    return _rows(account[has], at[has], _ADDED, cards[account, slot][has], _NO_AMOUNT)


def _charges(world: World, state: State, rows: np.ndarray, day: int, rng: np.random.Generator) -> Payments:
    """Monthly payments that fall on the day, and top-ups."""
    accounts = state.accounts
    monthly = rows[(day + (30 * uniform(rows, world.key + 20)).astype(np.int64)) % 30 == 0]
    n_topups = rng.poisson(world.of("paying.topups_per_month")[accounts.kind[rows]] / 30)
    account = np.concatenate([monthly, np.repeat(rows, n_topups)])
    n = account.size
    topup = np.rint(np.exp(rng.normal(np.log(18), 0.9, n)) * 100) / 100
    amount = np.where(np.arange(n) < monthly.size, _MONTHLY[accounts.plan[account]], topup)
    slot = np.minimum((rng.random(n) ** 2.5 * N_SLOTS).astype(np.int64), N_SLOTS - 1)
    card = accounts.cards[account, slot]
    card = np.where(card >= 0, card, accounts.cards[account, 0])
    has_failed = rng.random(n) < world.of("paying.failed")[accounts.kind[account]]
    return _rows(account, _during(n, world.midnight(day), rng), np.where(has_failed, _FAILED, _SUCCEEDED), card, amount)


def _during(n: int, begin: int, rng: np.random.Generator) -> np.ndarray:
    return np.asarray(begin + (rng.random(n) * DAY_US).astype(np.int64))


def _dispute(world: World, state: State, charges: Payments, rng: np.random.Generator) -> None:
    """Let some successful payments be charged back, weeks later."""
    share = world.of("paying.disputed")[state.accounts.kind[charges.account]]
    chosen = charges.take((charges.status == _SUCCEEDED) & (rng.random(len(charges)) < share))
    due = chosen.at + ((10 + 40 * rng.random(len(chosen))) * DAY_US).astype(np.int64)
    state.disputes.append(Disputes(chosen.account, chosen.card, chosen.amount, due))


def _due_disputes(state: State, end: int) -> Payments:
    """Chargebacks whose day has come; they are still among the disputes, for the labels."""
    due = state.disputes.take(state.disputes.due < end)
    return _rows(due.account, due.due, _CHARGED_BACK, due.card, due.amount)


def _transfers(world: World, state: State, rows: np.ndarray, begin: int, rng: np.random.Generator) -> Payments:
    """Credits sent to another account: of the sender's group, or anybody."""
    accounts, groups = state.accounts, state.groups
    rate = world.of("paying.transfers_per_month")[accounts.kind[rows]] / 30
    sender = rows[rng.random(rows.size) < rate]
    by_group = rows[np.argsort(accounts.group[rows], kind="stable")]
    start = np.searchsorted(accounts.group[by_group], accounts.group[sender], side="left")
    stop = np.searchsorted(accounts.group[by_group], accounts.group[sender], side="right")
    within = by_group[start + (rng.random(sender.size) * (stop - start)).astype(np.int64)] if sender.size else sender
    anybody = rng.choice(rows, size=sender.size) if rows.size else sender
    to_group = groups.is_group[accounts.group[sender]]
    to_group &= uniform(sender, world.key + 21) >= world.of("paying.to_strangers")[accounts.kind[sender]]
    payee = np.where(to_group, within, anybody)
    keep = payee != sender
    n = int(keep.sum())
    amount = np.rint(np.exp(rng.normal(np.log(12), 0.8, n)) * 100) / 100
    return _rows(sender[keep], _during(n, begin, rng), _SUCCEEDED, -1, amount, payee[keep])
