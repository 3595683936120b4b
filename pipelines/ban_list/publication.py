"""Publish the list of a night that was approved: the proposed files as they are, and a manifest that vouches for them.

EXPORTS/ban_lists/date=D/ban_list.csv, ban_list.parquet, delta.csv, manifest.json

The folder appears whole or not at all. Publishing the same content again changes nothing.
"""

import json
import logging
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from ringwatch.pipelines.ban_list.approval import APPROVED, Decision, last_decision, read_decision, refuse_outdated
from ringwatch.pipelines.ban_list.proposal import Proposal, ban_list_lock, read_proposal
from ringwatch.pipelines.ban_list.published import (
    MANIFEST,
    keep_replaced,
    last_published_before,
    published_folder,
    read_published,
)
from ringwatch.pipelines.common.atomic_folder import write_folder
from ringwatch.pipelines.common.errors import ApprovalError
from ringwatch.pipelines.common.settings import Settings
from ringwatch.pipelines.common.signing import sha256, sign

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Publication:
    """What is out for a night."""

    date: date
    folder: Path
    manifest: dict[str, Any]
    is_new: bool  # false: this content was out already


def publish(settings: Settings, *, date: date) -> Publication:
    """Publish what was proposed and approved for a night.

    Raises:
        ApprovalError: nothing is proposed, it is not approved or was tampered with, the list that it follows on is not
            the last one any more, or the list of a later night is out.
    """
    with ban_list_lock(settings):
        proposal, files = read_proposal(settings, date)
        published = read_published(settings, date)
        if published is not None and published.content_sha256 == proposal.content_sha256:
            return Publication(date, published.folder, published.manifest, is_new=False)
        decision = _demand_approval(settings, proposal)
        refuse_outdated(settings, date)
        _demand_that_it_follows_on(settings, proposal)
        manifest = _manifest(settings, proposal, files, decision)
        if published is not None:
            keep_replaced(settings, published)
        folder = published_folder(settings, date)
        write_folder(folder, {**files, MANIFEST: _readable_json(manifest)})
    return Publication(date, folder, manifest, is_new=True)


def _demand_approval(settings: Settings, proposal: Proposal) -> Decision:
    decision = read_decision(settings, proposal.date, proposal.content_sha256)
    if decision is None:
        lapsed = last_decision(settings, proposal.date, proposal.content_sha256)
        how = f"not approved any more ({lapsed.by}'s approval lapsed at {lapsed.until})" if lapsed else "not approved"
        raise ApprovalError(
            f"the list proposed for {proposal.date} is {how}: look at {proposal.folder},"
            f" then `ringwatch ban-list approve --date {proposal.date} --by NAME` or answer in Airflow."
        )
    if decision.decision != APPROVED:
        raise ApprovalError(f"the list proposed for {proposal.date} was rejected by {decision.by} at {decision.at}.")
    return decision


def _demand_that_it_follows_on(settings: Settings, proposal: Proposal) -> None:
    former = last_published_before(settings, proposal.date)
    follows = {"date": str(former.date), "content_sha256": former.content_sha256} if former else None
    if follows != proposal.facts["follows"]:
        raise ApprovalError(
            f"another list was published since the one for {proposal.date} was proposed: propose {proposal.date}"
            " again, and have it approved."
        )


def _manifest(settings: Settings, proposal: Proposal, files: dict[str, bytes], decision: Decision) -> dict[str, Any]:
    counts = proposal.counts
    n_rows = {"ban_list.csv": counts["ban_list"], "ban_list.parquet": counts["ban_list"], "delta.csv": counts["delta"]}
    manifest: dict[str, Any] = {
        **proposal.facts,
        "content_sha256": proposal.content_sha256,
        "files": {
            name: {"rows": sum(n_rows[name].values()), "bytes": len(content), "sha256": sha256(content)}
            for name, content in files.items()
        },
        "approved_by": decision.by,
        "approved_at": decision.at,
        "approved_via": decision.via,
        "hmac": None,
    }
    if settings.signing_key is None:
        log.warning("the ban list of %s goes out unsigned: set RINGWATCH_SIGNING_KEY to sign it", proposal.date)
    else:
        manifest["hmac"] = sign(manifest, settings.signing_key.get_secret_value())
    return manifest


def _readable_json(value: dict[str, Any]) -> bytes:
    return json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False).encode() + b"\n"
