"""Another detector, or a baseline, is a class that an entry point names."""

import datetime as dt
import json
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import ClassVar, Self

import numpy as np
import pytest
from tests.builders.worlds import DATE, planted_world

from ringwatch.models.common.errors import ModelStoreError
from ringwatch.models.data.links import Links
from ringwatch.models.data.snapshot import Snapshot
from ringwatch.models.ensemble.thresholds import Thresholds
from ringwatch.models.ensemble.trees import tree_inputs
from ringwatch.models.evaluation.fraudar import fraudar_scores
from ringwatch.models.features.pairs import candidate_pairs
from ringwatch.models.features.relations import heard_relations
from ringwatch.models.gnn.hetero import to_hetero_data
from ringwatch.models.gnn.input_schema import input_schema_of
from ringwatch.models.gnn.network import make_network
from ringwatch.models.registry.default_model import default_model
from ringwatch.models.registry.model import Member
from ringwatch.models.registry.store import Registry
from ringwatch.models.rings.classifier import RingClassifier
from ringwatch.models.scoring.detection import detect
from ringwatch.models.scoring.detector import GROUP, Detector, load_detector
from ringwatch.models.scoring.scoring import Scores, score

pytestmark = pytest.mark.unit
VERSION = f"fraudar-{DATE}-00000000"


class FraudarDetector:
    """A baseline that takes two accounts with a shared identifier for linked if both lie in the dense block."""

    kind: ClassVar[str] = "fraudar"
    snapshot_date: dt.date | None = DATE
    ring_classifier: RingClassifier = default_model().ring_classifier

    def __init__(self, thresholds: Thresholds) -> None:
        self.thresholds = thresholds

    @classmethod
    def read(cls, folder: Path) -> Self:
        return cls(Thresholds(**json.loads((folder / "model.json").read_text())["thresholds"]))

    def score(self, snapshot: Snapshot) -> Scores:
        fake, pairs = fraudar_scores(snapshot), candidate_pairs(snapshot, heard_relations(snapshot))
        linked = np.minimum(fake[pairs.receiver], fake[pairs.sender])
        return Scores(fake, Links(pairs.receiver, pairs.sender, linked, snapshot.n_accounts))


@pytest.fixture(scope="module")
def world():
    return planted_world()


@pytest.fixture
def registry(tmp_path):
    def write(folder: Path) -> None:
        about = {"kind": "fraudar", "snapshot_date": str(DATE), "metrics": {}}
        (folder / "model.json").write_text(json.dumps(about | {"thresholds": {"suspicious": 0.5, "watch": 0.1}}))

    registry = Registry(tmp_path / "models")
    registry.store(VERSION, write)
    registry.promote(VERSION, date=DATE, why="a baseline")
    return registry


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """An installed package with the baseline's entry point."""
    about = tmp_path / "site" / "fraudar_detector-1.0.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: fraudar-detector\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(f"[{GROUP}]\nfraudar = fraudar_detector:FraudarDetector\n")
    monkeypatch.syspath_prepend(str(about.parent))
    module = ModuleType("fraudar_detector")
    module.FraudarDetector = FraudarDetector  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "fraudar_detector", module)


@pytest.mark.usefixtures("installed")
def test_a_baseline_that_a_package_brings_detects_as_champion(registry, world):
    detector: Detector = load_detector(registry, str(registry.champion_as_of(DATE)))
    found = detect(
        world.snapshot,
        detector.score(world.snapshot),
        thresholds=detector.thresholds,
        ring_classifier=detector.ring_classifier,
        previous=None,
        is_default=False,
    )
    assert found.accounts.num_rows == world.snapshot.n_accounts
    assert "suspicious" in found.accounts["fraud_label"].to_pylist()


def test_a_kind_that_no_package_brings_is_named(registry):
    with pytest.raises(ModelStoreError, match=rf"'fraudar'.*{GROUP}"):
        load_detector(registry, VERSION)


def test_a_model_warns_of_a_relation_it_was_trained_without_and_an_own_network_uses_it(world, caplog):
    without = replace(
        world.snapshot,
        relationships=world.snapshot.relationships
        | {"SENT_MONEY_TO": world.snapshot.relationships["SENT_MONEY_TO"].slice(0, 0)},
    )
    inputs = input_schema_of([to_hetero_data(without)])
    model = replace(default_model(), members=(Member(inputs, make_network(inputs).state_dict()),))
    score(model, without)
    assert caplog.text == ""
    score(model, world.snapshot)
    assert "the networks ignore SENT_MONEY_TO: they were trained without" in caplog.text
    data = to_hetero_data(world.snapshot)
    assert "rev_SENT_MONEY_TO" in {edge_type[1] for edge_type in input_schema_of([data]).edges}
    assert {"n~rev_SENT_MONEY_TO", "SENT_MONEY_TO.count"} <= set(tree_inputs(data).names)


def test_a_model_warns_of_a_column_it_was_trained_without(world, caplog):
    known = default_model().members[0].inputs
    fewer = tuple(name for name in known.accounts if not name.startswith("n_requests"))
    inputs = known._replace(accounts=fewer)
    score(replace(default_model(), members=(Member(inputs, make_network(inputs).state_dict()),)), world.snapshot)
    assert "Account.n_requests" in caplog.text
    assert "SENT_MONEY_TO" not in caplog.text
