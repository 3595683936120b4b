"""The rings that people had cleared by a night, from the decisions kept in the ledger."""

from itertools import groupby

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ringwatch.graph_schema.browser.marks import VERDICTS
from ringwatch.models.data.decisions import decisions_of
from ringwatch.models.data.snapshot import Snapshot
from ringwatch.models.rings.cleared import ClearedRing, ClearedRings
from ringwatch.pipelines.common.settings import Settings
from ringwatch.pipelines.decisions.store import read_reviews
from ringwatch.pipelines.ledger.store import Ledger


def cleared_rings(settings: Settings, snapshot: Snapshot) -> ClearedRings:
    """Rings whose newest decision by the night is that they are legitimate; not one with a member found fake since."""
    reviews = read_reviews(Ledger(settings))
    is_of_a_ring = pc.and_(pc.is_valid(reviews["ring_id"]), pc.is_in(reviews["decision"], value_set=pa.array(VERDICTS)))
    is_known = pc.less(reviews["known_at"].cast(pa.int64()), int(snapshot.end_of_day.astype(np.int64)))
    rows = reviews.filter(pc.and_(is_of_a_ring, is_known))
    rows = rows.sort_by([("ring_id", "ascending"), ("reviewed_at", "ascending")])
    is_fake, rings = decisions_of(snapshot).is_fake, []
    for _, of_ring in groupby(rows.to_pylist(), key=lambda row: row["ring_id"]):
        decided = list(of_ring)
        newest = [row for row in decided if row["reviewed_at"] == decided[-1]["reviewed_at"]]
        members = snapshot.account_codes(pa.array([row["account_id"] for row in newest]))
        members = members[members >= 0]
        if newest[0]["decision"] == "legitimate" and members.size and not is_fake[members].any():
            told = f"{newest[0]['reviewed_by']} cleared its ring on {newest[0]['reviewed_at']:%Y-%m-%d}"
            rings.append(ClearedRing(members, told))
    return ClearedRings(rings, settings.reopen_growth, settings.reopen_on_new_kind)
