"""Export indicators: what the ban list of a night says about infrastructure, for everybody and for each partner.

EXPORTS/indicators/date=D/bundle.json          for everybody: no cards
EXPORTS/indicators/date=D/bundle-NAME.json     for one partner: cards by that partner's key, and sightings of its own

Made of the list that is out, which a person let go, and of nothing that is only suspected. The folder appears whole or
not at all. What was said before and holds no more is said once more as revoked, until it would have expired.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from ringwatch.models.data.snapshot import read_snapshot
from ringwatch.pipelines.ban_list.proposal import ban_list_lock
from ringwatch.pipelines.ban_list.published import read_published
from ringwatch.pipelines.common.atomic_folder import write_folder
from ringwatch.pipelines.common.clock import end_of
from ringwatch.pipelines.common.date_folders import night_of
from ringwatch.pipelines.common.errors import ApprovalError, RingwatchError
from ringwatch.pipelines.common.settings import Settings
from ringwatch.pipelines.common.signing import canonical_json
from ringwatch.pipelines.indicators.kinds import CARD, Named, keyed
from ringwatch.pipelines.indicators.matches import read_matches
from ringwatch.pipelines.indicators.outbound.findings import Campaign, Finding, campaigns, find, tell
from ringwatch.pipelines.indicators.outbound.issuer import Issuer, Object
from ringwatch.pipelines.indicators.outbound.objects import (
    campaign_objects,
    grouping_of,
    indicator_objects,
    infrastructure_objects,
)
from ringwatch.pipelines.indicators.outbound.sightings import sighting_objects
from ringwatch.pipelines.indicators.validation import faults_of
from ringwatch.pipelines.runs.store import read_run, read_run_table

_COUNTED = ("indicator", "infrastructure", "campaign", "sighting")


@dataclass(frozen=True)
class Exported:
    """What is out for a night: of each file, how many objects of the types that matter."""

    date: date
    folder: Path
    files: dict[str, dict[str, int]]


@dataclass(frozen=True)
class _Night:
    """What the night has to tell."""

    date: date
    findings: Sequence[Finding]
    campaigns: Sequence[Campaign]


def export_indicators(settings: Settings, *, date: date) -> Exported:
    """Export the indicators of a night whose ban list is out; again gives the same bytes.

    Raises:
        ApprovalError: its list is not out, was altered, or is of another detection than the one that is kept.
    """
    with ban_list_lock(settings):
        night = _read_night(settings, date)
        bundles = {partner: _bundle(settings, night, partner) for partner in (None, *sorted(settings.partner_keys))}
        files = {_file_name(partner): canonical_json(bundle) + b"\n" for partner, bundle in bundles.items()}
        for name, content in files.items():
            if faults := faults_of(content.decode()):
                raise RingwatchError(f"{name} of {date} is no valid STIX 2.1, which is our fault: {faults[0]}")
        folder = settings.indicators_dir / f"date={date}"
        write_folder(folder, files)
    return Exported(date, folder, {_file_name(partner): _counts(bundle) for partner, bundle in bundles.items()})


def _read_night(settings: Settings, night: date) -> _Night:
    published, run = read_published(settings, night), read_run(settings, night)
    if published is None:
        raise ApprovalError(
            f"the ban list of {night} is not out, and indicators are made of nothing else: publish it first"
            f" (`ringwatch ban-list publish --date {night}`)."
        )
    if published.manifest["run_id"] != run.run_id:
        raise ApprovalError(
            f"{night} was detected anew since its ban list went out: propose, approve and publish it again first."
        )
    snapshot = read_snapshot(settings.snapshots_dir / f"date={night}")
    accounts, rings = (read_run_table(settings, night, name) for name in ("accounts", "rings"))
    told = tell(accounts, rings, {entry.account_id for entry in published.entries()})
    floor = settings.indicators_floor
    return _Night(night, find(snapshot, told, floor=floor), campaigns(told, rings, floor=floor))


def _bundle(settings: Settings, night: _Night, partner: str | None) -> Object:
    """What one partner is told, or everybody."""
    former = _former_objects(settings, night.date, partner)
    issuer = Issuer(
        settings.platform,
        settings.tlp,
        end_of(night.date),
        {each["id"]: each["created"] for each in former if "created" in each},
        {each["pattern"]: each["created"] for each in former if _is_told(each)},
    )
    rings = {campaign.ring_id for campaign in night.campaigns}
    own = [_for_partner(settings, each, partner) for each in night.findings if each.is_own and _may_see(each, partner)]
    objects = [
        *campaign_objects(issuer, night.campaigns),
        *indicator_objects(issuer, own, rings, days=settings.indicators_days),
        *infrastructure_objects(issuer, [each for each in night.findings if each.is_third_partys], rings),
    ]
    if partner is not None:
        seen = read_matches(settings, night.date)
        objects += sighting_objects(issuer, seen, partner, floor=settings.indicators_floor)
    names = (str(night.date), partner)
    said = [*objects, *grouping_of(issuer, objects, *names), *_revoked(issuer, former, objects)]
    return issuer.bundle(said, *names)


def _may_see(finding: Finding, partner: str | None) -> bool:
    return partner is not None or finding.named.label != CARD.label


def _for_partner(settings: Settings, finding: Finding, partner: str | None) -> Finding:
    """A finding as the partner may have it: of a card only the HMAC with the partner's key."""
    label, value = finding.named
    if partner is None or label != CARD.label:
        return finding
    key = settings.partner_keys[partner].get_secret_value()
    return replace(finding, named=Named(label, keyed(value, key)))


def _former_objects(settings: Settings, night: date, partner: str | None) -> list[Object]:
    """What the same audience was told last before."""
    files = settings.indicators_dir.glob(f"date=*/{_file_name(partner)}")
    by_night = {night_of(file.parent): file for file in files}
    last = max((other for other in by_night if other < night), default=None)
    former: list[Object] = json.loads(by_night[last].read_bytes())["objects"] if last else []
    return former


def _revoked(issuer: Issuer, former: Sequence[Object], current: Sequence[Object]) -> list[Object]:
    """Indicators that were told of, would still be in force, and hold no more."""
    holds, at = {each["id"] for each in current}, issuer.at
    lasting = [each for each in former if "valid_until" in each and datetime.fromisoformat(each["valid_until"]) > at]
    gone = [each for each in lasting if each["id"] not in holds]
    return [{**each, "revoked": True, "modified": issuer.now} if _is_told(each) else each for each in gone]


def _is_told(stix_object: Object) -> bool:
    """Whether it is an indicator, and not a revoked one."""
    return stix_object["type"] == "indicator" and not stix_object.get("revoked", False)


def _file_name(partner: str | None) -> str:
    return "bundle.json" if partner is None else f"bundle-{partner}.json"


def _counts(bundle: Object) -> dict[str, int]:
    types: list[Any] = [each["type"] for each in bundle["objects"]]
    return {type_: types.count(type_) for type_ in _COUNTED}
