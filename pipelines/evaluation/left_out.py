"""What a default model makes of structures that it never saw: one family at a time is left out of its training.

Models and figures stay in the folder, and what is there is not made again: a table that was broken off goes on.
"""

import json
import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from ringwatch.models.data.labels import known_labels
from ringwatch.models.data.snapshot import Snapshot
from ringwatch.models.data.truth import Truth
from ringwatch.models.evaluation.metrics import account_metrics
from ringwatch.models.registry.artifact import read_model
from ringwatch.models.registry.model import TrainedModel
from ringwatch.models.scoring.scoring import score
from ringwatch.pipelines.common.errors import RingwatchError
from ringwatch.pipelines.evaluation.measure import world_of
from ringwatch.pipelines.evaluation.pretrain import RANDOM, pretrain_default
from ringwatch.pipelines.simulate.knobs.scenarios import SCENARIOS
from ringwatch.pipelines.simulate.population.world import Arguments

_log = logging.getLogger(__name__)

_FIRST_SEED, _N_WORLDS = 7500, 4  # worlds that judge, apart from those of the training
_N_NIGHTS, _HISTORY_DAYS, _VARY = 8, 30, 0.3
_SHARE_OF_FAMILY, _SHARE_OF_RING_FAMILY = 0.03, 0.01  # of each world's accounts


@dataclass(frozen=True)
class Judged:
    """How a model does on worlds with a family, over the accounts not labelled; means over the worlds.

    Attributes:
        average_precision: of the ranking of all accounts.
        in_first_k: share of the family's accounts among the first K, the number of fakes: false alarms of ordinary
            people, recall of a campaign.
        suspicious: share of the family's accounts that are called suspicious.
    """

    average_precision: float
    in_first_k: float
    suspicious: float


@dataclass(frozen=True)
class LeftOut:
    """A family, as judged by a model that was trained with it, and by one without."""

    family: str
    is_fake: bool
    with_it: Judged
    without_it: Judged


def leave_one_out(folder: Path, families: Sequence[str], *, n_worlds: int, n_accounts: int, seed: int) -> list[LeftOut]:
    """Train once with all and once without each family; writes FAMILY.json and table.md into the folder.

    Raises:
        RingwatchError: a family is none of the scenario `random-structure`.
    """
    is_fake = {kind.name: kind.is_fake for kind in SCENARIOS[RANDOM].kinds}
    if unknown := sorted(set(families) - set(is_fake)):
        raise RingwatchError(f"no family {', '.join(unknown)}: give some of {', '.join(is_fake)}.")
    found = []
    for family in families:
        file = folder / f"{family}.json"
        if not file.exists():
            models = [
                _model(folder / name, without, n_worlds=n_worlds, n_accounts=n_accounts, seed=seed)
                for name, without in (("with-all", []), (f"without-{family}", [family]))
            ]
            worlds = _worlds_with(family, is_fake[family], n_accounts)
            judged = [_judge(model, worlds, family) for model in models]
            file.write_text(json.dumps(asdict(LeftOut(family, is_fake[family], *judged)), indent=1) + "\n")
        found.append(_read(file))
        (folder / "table.md").write_text(left_out_table(found))
    return found


def left_out_table(rows: Sequence[LeftOut]) -> str:
    """The families as a Markdown table."""
    lines = [
        "| left out | is | AP with, without | of it in the first K with, without | suspicious with, without |",
        "|---|---|---|---|---|",
    ]
    for row in rows:
        pairs = [
            f"{getattr(row.with_it, name):.{digits}f}, {getattr(row.without_it, name):.{digits}f}"
            for name, digits in (("average_precision", 3), ("in_first_k", 3), ("suspicious", 3))
        ]
        lines.append(f"| `{row.family}` | {'campaign' if row.is_fake else 'ordinary'} | {' | '.join(pairs)} |")
    return "\n".join(lines) + "\n"


def _model(folder: Path, without: Sequence[str], *, n_worlds: int, n_accounts: int, seed: int) -> TrainedModel:
    if not (folder / "model.json").exists():
        _log.info("training %s", folder.name)
        pretrain_default(folder, n_worlds=n_worlds, n_accounts=n_accounts, seed=seed, without=without)
    return read_model(folder)


def _worlds_with(family: str, is_fake: bool, n_accounts: int) -> list[tuple[Snapshot, Truth]]:
    knobs = {f"{family}.share": _SHARE_OF_RING_FAMILY if is_fake else _SHARE_OF_FAMILY}
    return [
        world_of(Arguments(n_accounts, _N_NIGHTS, _HISTORY_DAYS, _FIRST_SEED + number, RANDOM, _VARY, knobs))
        for number in range(_N_WORLDS)
    ]


def _judge(model: TrainedModel, worlds: Sequence[tuple[Snapshot, Truth]], family: str) -> Judged:
    figures = []
    for snapshot, truth in worlds:
        rows = truth.is_evaluated & ~known_labels(snapshot).is_known
        fake, probability = truth.is_fake[rows], score(model, snapshot).fake[rows]
        is_of_family = truth.kind[rows] == family
        first = np.argsort(-probability, kind="stable")[: int(fake.sum())]
        n_of_family = max(int(is_of_family.sum()), 1)
        figures.append(
            (
                account_metrics(fake, probability)["average_precision"],
                is_of_family[first].sum() / n_of_family,
                (is_of_family & (probability >= model.thresholds.suspicious)).sum() / n_of_family,
            )
        )
    return Judged(*(float(mean) for mean in np.mean(figures, axis=0)))


def _read(file: Path) -> LeftOut:
    content = json.loads(file.read_text())
    return LeftOut(**content | {name: Judged(**content[name]) for name in ("with_it", "without_it")})
