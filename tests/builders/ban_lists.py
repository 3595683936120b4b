"""Ban lists for tests: made of nights that were detected by hand, released, and read back as a consumer would."""

import csv
import io
from datetime import date

import pyarrow.parquet as pq
from tests.builders.nights import Judged, detected_night

from ringwatch.pipelines.ban_list import approve, propose, publish

D1 = date(2026, 4, 1)
D2 = date(2026, 4, 2)
RING = {f"fake-{i}": Judged(ring_id="ring-1", cards=("card-a",)) for i in range(3)}
PERSON = Judged(score=0.1, reasons=())


def released(settings, night, accounts, *, by="Ada", **kwargs):
    """The list of a night that says this of its accounts, proposed, approved and published."""
    detected_night(settings, night, accounts, **kwargs)
    return release(settings, night, by=by)


def release(settings, night, *, by="Ada"):
    """The list of a night that has been detected, proposed, approved and published."""
    propose(settings, date=night)
    approve(settings, date=night, by=by)
    return publish(settings, date=night)


def ban_list(settings, night=D1):
    return pq.read_table(settings.exports_dir / f"ban_lists/date={night}/ban_list.parquet", partitioning=None)


def listed(settings, night=D1):
    return {(row["account_id"], row["action"]) for row in ban_list(settings, night).to_pylist()}


def delta(settings, night=D1):
    rows = csv.DictReader(io.StringIO((settings.exports_dir / f"ban_lists/date={night}/delta.csv").read_text()))
    return {(row["account_id"], row["action"]) for row in rows}


def snapshot_of(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}
