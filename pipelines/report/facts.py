"""What the report of a night says, gathered from the files that the night left."""

from dataclasses import dataclass
from datetime import date
from typing import Any

import pyarrow.compute as pc

from ringwatch.models.registry.drift import SCORE, score_distribution
from ringwatch.models.registry.store import Registry
from ringwatch.pipelines.common.settings import Settings
from ringwatch.pipelines.ledger.store import Ledger
from ringwatch.pipelines.runs.drift_gate import held_by_drift
from ringwatch.pipelines.runs.store import Run, night_before, nights_up_to, read_run, read_run_table


@dataclass(frozen=True)
class RingChange:
    """A ring against the night before: `was` is None for a new one, `n_accounts` is 0 for one that is gone."""

    ring_id: str
    fraud_score: float
    fraud_label: str
    was: int | None
    n_accounts: int

    @property
    def kind(self) -> str:
        """New, grown, smaller or gone."""
        if self.was is None:
            return "new"
        if self.n_accounts == 0:
            return "gone"
        return "grown" if self.n_accounts > self.was else "smaller"


@dataclass(frozen=True)
class NightFacts:
    """One night.

    Attributes:
        run: of its detection.
        before: the night detected before it, which changes are against.
        load: what its load reported: counts by signal, and what it wrote to the graph, took off it and retired.
        by_night: one entry a night detected, oldest first, of the last month: date, rows and the run's counts.
        rings: changes since the night before; those that stayed as they were are left out.
        n_rings: rings tonight, lawful groups left out.
        questions: what is asked of people: kind, id and since when.
        model: where the model comes from, in words.
        score_shares: shares of accounts in the bins between `score_edges`, on the model's training night (None where it
            was not here) and tonight.
        score_edges: inner edges.
        held: why the ban list is held.
        max_psi: the drift that holds it.
    """

    run: Run
    before: date | None
    load: dict[str, Any]
    by_night: list[dict[str, Any]]
    rings: list[RingChange]
    n_rings: int
    questions: list[dict[str, Any]]
    model: str
    score_shares: tuple[tuple[float, ...] | None, tuple[float, ...]]
    score_edges: tuple[float, ...]
    held: list[str]
    max_psi: float


def gather_facts(settings: Settings, night: date) -> NightFacts:
    """What there is to say of a night that has been detected.

    Raises:
        RingwatchError: it has not.
    """
    run, before = read_run(settings, night), night_before(settings, night)
    registry = Registry(settings.models_dir)
    scores = read_run_table(settings, night, "accounts", columns=["fraud_score"])["fraud_score"].to_numpy()
    reference, tonight = registry.reference(run.model_version), score_distribution(scores)
    questions = read_run_table(settings, night, "questions", columns=["kind", "id", "asked_since"])
    rings = _sizes(settings, night)
    return NightFacts(
        run=run,
        before=before,
        load=Ledger(settings).read_night(night) or {"counts": {}, "graph": None, "faults": []},
        by_night=[_night(settings, each) for each in nights_up_to(settings, night)],
        rings=_changes(_sizes(settings, before) if before else {}, rings),
        n_rings=len(rings),
        questions=questions.to_pylist(),
        model=_model(registry, run),
        score_shares=(reference.columns[SCORE].shares if reference else None, tonight.shares),
        score_edges=tonight.edges,
        held=held_by_drift(settings, run),
        max_psi=settings.max_psi,
    )


def _night(settings: Settings, night: date) -> dict[str, Any]:
    loaded = (Ledger(settings).read_night(night) or {"counts": {}})["counts"].values()
    rows = {name: sum(counts[name] for counts in loaded) for name in ("rows_in", "quarantined")}
    return {"date": night, **rows, **read_run(settings, night).counts}


def _sizes(settings: Settings, night: date) -> dict[str, dict[str, Any]]:
    """Rings of a night by id, lawful groups left out."""
    rings = read_run_table(settings, night, "rings")
    rows = rings.filter(pc.not_equal(rings["fraud_label"], "clear")).drop_columns("reasons").to_pylist()
    return {row["ring_id"]: row for row in rows}


def _changes(before: dict[str, dict[str, Any]], rings: dict[str, dict[str, Any]]) -> list[RingChange]:
    changes = []
    for ring_id in sorted({*before, *rings}):
        was, now = before.get(ring_id), rings.get(ring_id)
        ring = now or before[ring_id]
        if was is None or now is None or was["n_accounts"] != now["n_accounts"]:
            n_was, n_now = was["n_accounts"] if was else None, now["n_accounts"] if now else 0
            changes.append(RingChange(ring_id, ring["fraud_score"], ring["fraud_label"], n_was, n_now))
    return changes


def _model(registry: Registry, run: Run) -> str:
    if run.is_default:
        return f"{run.model_version}, a default model that simulated worlds taught: it ranks, and lists nobody"
    promoted = (each for each in reversed(registry.promotions()) if each.version == run.model_version)
    return next(
        (f"{run.model_version}, champion since {each.date}: {each.why}" for each in promoted), run.model_version
    )
