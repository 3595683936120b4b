"""What becomes known on a day: few labels, late, biased to what was visible, sometimes wrong; and an even sample."""

import numpy as np

from ringwatch.pipelines.simulate.events.activity import Acting, Usage
from ringwatch.pipelines.simulate.population.state import DAY_US, Labels, State
from ringwatch.pipelines.simulate.population.world import World

LABEL_SOURCES = ("manual_review", "chargeback", "appeal", "partner", "audit_sample")
_REVIEW, _CHARGEBACK, _APPEAL, _PARTNER, _AUDIT = range(5)
_REPORT_DAYS = 60  # the life of a group over which its reported share is spread


def decide_labels(world: World, state: State, acting: Acting, used: Usage, day: int) -> None:
    """Choose whom people look at on a day, and what they will say, some days later."""
    rng = world.chance("labels", day)
    # Of some campaigns nobody ever learns; of a bought account nothing is to be learnt before it turned.
    seen = ~_is_unlabelled(world)[acting.kind] & acting.is_own_life
    rows, kind = acting.rows[seen], acting.kind[seen]
    requests = np.bincount(used.acting, used.n_requests, minlength=acting.rows.size)[seen]
    begin = world.midnight(day)
    _review(world, state, rows, kind, requests, begin, rng)
    _audit(world, state, rows, kind, begin, rng)
    _report(world, state, rows, kind, begin, rng)
    _follow_disputes(world, state, begin, rng)


def labels_of(world: World, state: State, day: int) -> Labels:
    """Labels that become known on a day, and forget them."""
    is_due = state.labels.known < world.midnight(day + 1)
    due, state.labels = state.labels.take(is_due), state.labels.take(~is_due)
    due.known = due.known // 1_000_000 * 1_000_000  # whole seconds
    _, first = np.unique(np.stack([due.account, due.source, due.known]), axis=1, return_index=True)
    return due.take(np.sort(first))


def add_label(
    state: State, rows: np.ndarray, is_fake: np.ndarray, known: np.ndarray, source: int, confidence: float = np.nan
) -> None:
    """Note labels that are to become known."""
    n = rows.size
    state.labels.append(Labels(rows, is_fake, known, np.full(n, source), np.full(n, confidence)))


def hear_appeals(world: World, state: State, banned: np.ndarray, day: int) -> None:
    """People who were banned wrongly ask for a second look, and are heard some days later; some fakes try as well."""
    rng = world.chance("appeals", day)
    is_fake = world.of("is_fake")[state.accounts.kind[banned]]
    appeals = rng.random(banned.size) < np.where(is_fake, world.desk.fakes_appeal, 0.9)
    rows, is_fake = banned[appeals], is_fake[appeals]
    days = 0.5 + rng.exponential(world.desk.appeal_days, rows.size)
    add_label(state, rows, is_fake, _later(world.midnight(day), days), _APPEAL)


def _is_unlabelled(world: World) -> np.ndarray:
    unlabelled = world.scenario.unlabelled
    return np.array([kind.name in unlabelled for kind in world.kinds])


def _later(begin: int, days: np.ndarray) -> np.ndarray:
    return np.asarray(begin + ((1 + days) * DAY_US).astype(np.int64))


def _count(world: World, per_100k: float, rng: np.random.Generator, available: int) -> int:
    return min(int(rng.poisson(per_100k * world.arguments.n_accounts / 100_000)), available)


def _review(
    world: World,
    state: State,
    rows: np.ndarray,
    kind: np.ndarray,
    requests: np.ndarray,
    begin: int,
    rng: np.random.Generator,
) -> None:
    """Reviews by hand go to what is visible, and are now and then wrong."""
    weight = world.of("visible.review")[kind] * requests**world.desk.visibility
    n = _count(world, world.desk.reviews_per_day, rng, int((weight > 0).sum()))
    chosen = rng.choice(rows.size, size=n, replace=False, p=weight / weight.sum()) if n else np.empty(0, dtype=int)
    is_fake = world.of("is_fake")[kind[chosen]]
    is_wrong = rng.random(n) < np.where(is_fake, world.desk.overlooked, world.desk.wronged)
    days = rng.exponential(world.desk.review_days, n)
    add_label(state, rows[chosen], is_fake ^ is_wrong, _later(begin, days), _REVIEW)


def _audit(
    world: World, state: State, rows: np.ndarray, kind: np.ndarray, begin: int, rng: np.random.Generator
) -> None:
    chosen = rng.choice(rows.size, size=_count(world, world.desk.audits_per_day, rng, rows.size), replace=False)
    is_fake = world.of("is_fake")[kind[chosen]]
    add_label(state, rows[chosen], is_fake, _later(begin, 2 * rng.random(chosen.size)), _AUDIT)


def _report(
    world: World, state: State, rows: np.ndarray, kind: np.ndarray, begin: int, rng: np.random.Generator
) -> None:
    """Partners report accounts of campaigns, and with them some of those who use the same kind of network."""
    reported = rows[rng.random(rows.size) < world.of("visible.reported")[kind] / _REPORT_DAYS]
    weight = world.of("visible.mistaken")[kind]
    n_wrong = min(int(rng.poisson(world.desk.partner_wrong * reported.size)), int((weight > 0).sum()))
    wrong = rng.choice(rows, size=n_wrong, replace=False, p=weight / weight.sum()) if n_wrong else rows[:0]
    both = np.concatenate([reported, wrong])
    days = 4 * rng.random(both.size)
    add_label(state, both, np.ones(both.size, dtype=bool), _later(begin, days), _PARTNER, world.desk.partner_confidence)


def _follow_disputes(world: World, state: State, begin: int, rng: np.random.Generator) -> None:
    """Most chargebacks of the day end in a label, which is wrong where an honest customer disputed; forget them."""
    is_due = state.disputes.due < begin + DAY_US
    due, state.disputes = state.disputes.take(is_due), state.disputes.take(~is_due)
    kind = state.accounts.kind[due.account]
    labelled = (rng.random(len(due)) < world.desk.dispute_labelled) & ~_is_unlabelled(world)[kind]
    rows = np.unique(due.account[labelled])
    add_label(state, rows, np.ones(rows.size, dtype=bool), _later(begin, 2 * rng.random(rows.size)), _CHARGEBACK)
