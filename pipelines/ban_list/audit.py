"""Whether the rules are right, by whom they would have listed and the policy held out: what people found of those."""

from ringwatch.models.data.snapshot import read_snapshot
from ringwatch.pipelines.ban_list.proposal import waited_until
from ringwatch.pipelines.ban_list.rules.audited import Audit, audit_of
from ringwatch.pipelines.common.settings import Settings
from ringwatch.pipelines.runs.store import detected_nights


def audit(settings: Settings) -> Audit:
    """What people found by the newest night of the accounts that were held out.

    Raises:
        RingwatchError: no night has been detected.
    """
    night = detected_nights(settings)[-1]
    return audit_of(waited_until(settings, night), read_snapshot(settings.snapshots_dir / f"date={night}").labels)
