"""An operator attacks two platforms: what one publishes finds the same infrastructure in the other's world."""

import json
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from ringwatch.graph_schema.signals import SIGNALS
from ringwatch.models.data.snapshot import Snapshot, write_snapshot
from ringwatch.models.ensemble.thresholds import Thresholds
from ringwatch.models.rings.identity import MEMBERS_SCHEMA, RINGS_SCHEMA, Rings
from ringwatch.models.scoring.detection import ACCOUNTS_SCHEMA, Detection
from ringwatch.pipelines.ban_list import approve, propose, publish
from ringwatch.pipelines.ban_list.rules.policy import Policy
from ringwatch.pipelines.common.settings import Settings
from ringwatch.pipelines.evaluation.measure import put_world_in_ledger
from ringwatch.pipelines.indicators.kinds import CARD, keyed
from ringwatch.pipelines.indicators.matches import MATCHES_SCHEMA, read_matches
from ringwatch.pipelines.indicators.outbound.export import export_indicators
from ringwatch.pipelines.indicators.pattern import read_pattern
from ringwatch.pipelines.indicators.uses import connect_uses
from ringwatch.pipelines.nightly.detect import detect_in
from ringwatch.pipelines.nightly.snapshot import compute_snapshot
from ringwatch.pipelines.review.queue import QUESTIONS_SCHEMA
from ringwatch.pipelines.runs.store import Run, read_run_table, write_run
from ringwatch.pipelines.simulate import Arguments, simulate
from ringwatch.pipelines.simulate.nights import nights_of
from ringwatch.pipelines.simulate.truth import read_truth

KEY = "a-key-that-both-have"
ALL_OF_THEM = Policy(version="test", max_new_share=1.0)  # a first list is long


@dataclass(frozen=True)
class Shared:
    """Two platforms after the exchange: of B, what was matched and what is asked."""

    told: set[str]  # identifiers that A told B of, as `Label id`; cards as HMACs
    used: set[str]  # identifiers that the copied campaign uses in B, the same way
    matched: set[str]  # the same way
    questions: list[dict]
    copied: set[str]  # accounts of the copied campaign that are on what was matched
    ordinary: set[str]  # accounts of B's own world that are


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Shared:
    folder = tmp_path_factory.mktemp("platforms")
    for name, seed in (("A", 11), ("B", 12)):
        simulate(Arguments(3000, 2, 20, seed, "disclosure"), folder / name)
    a, b = (
        Settings(_env_file=None, home=folder / f"home-{us}", platform=us, partner_keys={partner: KEY})
        for us, partner in (("A", "B"), ("B", "A"))
    )
    night = nights_of(folder / "A")[2]
    attack(folder, list_the_fakes(a, folder / "A"))
    bundle = export_indicators(a, date=night).folder / "bundle-B.json"
    inbox = folder / "B" / "landing" / "indicators" / f"date={night}"
    inbox.mkdir(parents=True)
    (inbox / "from-A.json").write_bytes(bundle.read_bytes())
    snapshot = snapshot_of(b, folder / "B")
    detect_in(b, snapshot)
    return look_at(b, snapshot, bundle)


def snapshot_of(settings: Settings, world: Path) -> Snapshot:
    put_world_in_ledger(settings, world)
    snapshot = compute_snapshot(settings, nights_of(world)[2])
    write_snapshot(snapshot, settings.snapshots_dir / f"date={snapshot.date}")
    return snapshot


def list_the_fakes(settings: Settings, world: Path) -> set[str]:
    """Publish a list of the true fakes of a world, as if all had been found; the accounts of its largest campaign."""
    snapshot = snapshot_of(settings, world)
    truth = read_truth(world)
    fakes = truth.filter(pc.and_(truth["is_fake"], pc.is_valid(truth["first_active_at"])))
    campaign_of = dict(zip(fakes["account_id"].to_pylist(), fakes["campaign"].to_pylist(), strict=True))
    ids = snapshot.accounts["id"].to_pylist()
    rows = [
        {
            "account_id": id_,
            "fraud_score": 0.999 if id_ in campaign_of else 0.0,
            "fraud_label": "suspicious" if id_ in campaign_of else "clear",
            "ring_id": campaign_of.get(id_),
            "reasons": [],
            "core_size": 6 if id_ in campaign_of else 0,
        }
        for id_ in ids
    ]
    accounts = pa.Table.from_pylist(rows, ACCOUNTS_SCHEMA)
    sizes = {each["values"]: each["counts"] for each in pc.value_counts(accounts["ring_id"].drop_null()).to_pylist()}
    seen = {"first_seen_at": snapshot.accounts["created_at"][0], "last_seen_at": snapshot.accounts["created_at"][0]}
    rings = [
        {
            "ring_id": name, "n_accounts": n, "n_new_accounts": 0, "fraud_score": 1.0, "fraud_label": "suspicious",
            "reasons": [], **{key: value.as_py() for key, value in seen.items()},
        }
        for name, n in sorted(sizes.items())
    ]  # fmt: skip
    counts = {"n_accounts": len(ids), "n_suspicious": len(campaign_of), "n_watch": 0, "n_rings": len(rings)}
    run = Run("run-A", snapshot.date, "truth", False, Thresholds(suspicious=0.8, watch=0.4), counts)
    found = Rings(pa.Table.from_pylist(rings, RINGS_SCHEMA), MEMBERS_SCHEMA.empty_table())
    write_run(settings, run, Detection(accounts, found), QUESTIONS_SCHEMA.empty_table(), MATCHES_SCHEMA.empty_table())
    propose(settings, date=snapshot.date, policy=ALL_OF_THEM)
    approve(settings, date=snapshot.date, by="Ada")
    publish(settings, date=snapshot.date)
    largest = max(sizes, key=lambda name: (sizes[name], name))
    return {id_ for id_, campaign in campaign_of.items() if campaign == largest}


def attack(folder: Path, account_ids: set[str]) -> None:
    """Have accounts of world A act on platform B too, under other names and by other payments."""
    members = pa.array(sorted(account_ids))
    for signal in SIGNALS:
        for file in (folder / "A" / "landing" / signal.name).glob("*/*.parquet"):
            table = pq.read_table(file, partitioning=None)
            table = table.filter(pc.is_in(table["account_id"], value_set=members))
            for name in {"account_id", "payment_id", signal.other_account} & set(table.column_names):
                is_ours = pc.or_(pc.is_in(table[name], value_set=members), name == "payment_id")
                column = pc.binary_join_element_wise("copied", pc.if_else(is_ours, table[name], None), "-")
                table = table.set_column(table.column_names.index(name), name, column)
            if signal.name != "labels" and table.num_rows:
                target = folder / "B" / "landing" / signal.name / file.parent.name / f"copied-{file.name}"
                target.parent.mkdir(parents=True, exist_ok=True)
                pq.write_table(table, target)


def look_at(settings: Settings, snapshot: Snapshot, bundle: Path) -> Shared:
    told = [each for each in json.loads(bundle.read_bytes())["objects"] if each["type"] == "indicator"]
    named = {name for each in read_matches(settings, snapshot.date).to_pylist() for name in each["identifiers"]}
    with connect_uses(snapshot) as connection:
        uses = connection.sql("SELECT label || ' ' || id, account_id FROM uses").fetchall()
    hit = {account_id for name, account_id in uses if name in named}
    return Shared(
        {" ".join(each) for indicator in told for each in read_pattern(indicator["pattern"])},
        {as_told(name) for name, account_id in uses if account_id.startswith("copied-")},
        {as_told(name) for name in named},
        read_run_table(settings, snapshot.date, "questions").to_pylist(),
        {account_id for account_id in hit if account_id.startswith("copied-")},
        {account_id for account_id in hit if not account_id.startswith("copied-")},
    )


def as_told(name: str) -> str:
    label, value = name.split(" ", 1)
    return f"{label} {keyed(value, KEY)}" if label == CARD.label else name


def test_what_is_matched_is_what_was_told_of_and_is_used_here(shared: Shared) -> None:
    assert len(shared.matched) >= 5
    assert shared.matched == shared.told & shared.used
    assert shared.told - shared.used  # of other campaigns, which are not here


def test_people_are_asked_about_the_operators_ring_and_told_who_named_it(shared: Shared) -> None:
    [question] = [each for each in shared.questions if "; A names" in each["why"]]
    assert question["kind"] == "ring"
    assert f"; A names {len(shared.matched)} identifiers of {len(shared.copied)} of them" in question["why"]


def test_nobody_else_is_touched(shared: Shared) -> None:
    assert shared.copied
    assert shared.ordinary == set()
