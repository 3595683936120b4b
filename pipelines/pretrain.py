"""Makes the default model: simulates worlds unlike each other, and teaches a network their whole truth."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from models.model_file import version_of, write_model
from models.pretraining import pretrain, world_lesson
from pipelines.simulate.measure import world_of
from pipelines.simulate.world import Arguments

if TYPE_CHECKING:
    from models.fitting import Lesson

_SCENARIOS = ("disclosure", "disclosure", "camouflage", "drift", "evasion", "novel")
_N_NIGHTS, _HISTORY_DAYS = 8, 30
_FIRST_SEED = 3000  # apart from the seeds that people and tests take
_VARY = 0.5
_ONE_HELD_OUT_IN = 5


def pretrain_default(
    folder: Path, *, n_worlds: int, n_accounts: int, seed: int, say: Callable[[str], None] = lambda _: None
) -> str:
    """Write the model into a folder; returns its version. The same arguments give the same bits."""
    lessons: list[Lesson] = []
    held_out: list[Lesson] = []
    for position in range(n_worlds):
        arguments = Arguments(
            n_accounts,
            _N_NIGHTS,
            _HISTORY_DAYS,
            _FIRST_SEED + position,
            _SCENARIOS[position % len(_SCENARIOS)],
            vary=_VARY,
        )
        lesson = world_lesson(*world_of(arguments, say))
        (held_out if position % _ONE_HELD_OUT_IN == _ONE_HELD_OUT_IN - 1 else lessons).append(lesson)
    model = pretrain(
        lessons, held_out, seed=seed, progress=lambda share: say(f"teaching {len(lessons)} worlds: {share:.0%}")
    )
    folder.mkdir(parents=True, exist_ok=True)
    write_model(model, folder)
    return version_of(model)
