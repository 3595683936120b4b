"""Whether a night has drifted so far from the model's training night that its ban list must be looked at twice."""

from ringwatch.models.registry.drift import SCORE, moves_with_time
from ringwatch.pipelines.common.settings import Settings
from ringwatch.pipelines.runs.store import Run

_N_NAMED = 5


def held_by_drift(settings: Settings, run: Run) -> list[str]:
    """A sentence for each gate that a night trips. Without a model trained here there is none: it lists nobody."""
    limit, held = settings.max_psi, []
    if (score := run.drift.get(SCORE, 0.0)) > limit:
        held.append(f"scores have moved since the model's training night: PSI {score:.2f}, over {limit}")
    far = [(psi, name) for name, psi in gated_features(run).items() if psi > limit]
    if far:
        named = ", ".join(f"{name} {psi:.2f}" for psi, name in sorted(far, reverse=True)[:_N_NAMED])
        more = f" and {len(far) - _N_NAMED} more" if len(far) > _N_NAMED else ""
        held.append(f"features have moved since the model's training night: PSI of {named}{more}, over {limit}")
    return held


def gated_features(run: Run) -> dict[str, float]:
    """PSI of the features that hold a list: those that do not move by themselves as time passes."""
    return {name: psi for name, psi in run.drift.items() if name != SCORE and not moves_with_time(name)}
