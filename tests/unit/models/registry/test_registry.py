import datetime as dt
import json
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from tests.builders.worlds import DATE, planted_world

from ringwatch.models.common.errors import ModelStoreError, SnapshotError
from ringwatch.models.data.snapshot import read_snapshot, write_snapshot
from ringwatch.models.registry.catalog import Catalog
from ringwatch.models.registry.store import Registry
from ringwatch.models.scoring.scoring import score
from ringwatch.models.training.promotion import promote_if_not_worse
from ringwatch.models.training.training import train

pytestmark = pytest.mark.unit
LATER = DATE + dt.timedelta(days=7)


@pytest.fixture(scope="module")
def world():
    return planted_world(n_rings=8, n_ordinary=200)


@pytest.fixture(scope="module")
def candidate(world):
    return train(world.snapshot, seed=0)


@pytest.fixture
def registry(tmp_path):
    return Registry(tmp_path / "models")


def _dated(candidate, date):
    return candidate._replace(model=replace(candidate.model, snapshot_date=date))


def test_a_stored_model_gives_the_same_bits(world, candidate, registry):
    version = registry.save(candidate.model)
    again, first = (score(model, world.snapshot) for model in (registry.load(version), candidate.model))
    np.testing.assert_array_equal(again.fake, first.fake)
    np.testing.assert_array_equal(again.links.probability, first.links.probability)


def test_the_version_follows_from_date_and_content(candidate, registry):
    version = registry.save(candidate.model)
    assert version.startswith(f"gnn-{DATE.isoformat()}-")
    assert registry.save(registry.load(version)) == version
    assert registry.save(_dated(candidate, LATER).model) != version
    assert len(registry.versions()) == 2


def _labelled_since(snapshot):
    """A week later, when all its labels have become known at the midnight that ends the first night."""
    midnight = dt.datetime.combine(DATE + dt.timedelta(days=1), dt.time(), dt.UTC)
    labels = snapshot.labels
    known_at = pa.array([midnight] * labels.num_rows, labels.schema.field("known_at").type)
    labels = labels.set_column(labels.column_names.index("known_at"), "known_at", known_at)
    return replace(snapshot, date=LATER, labels=labels)


def test_a_label_known_at_the_midnight_that_ends_the_champions_night_is_new_to_it(world, candidate, registry):
    promote_if_not_worse(registry, candidate, world.snapshot)
    _, why = promote_if_not_worse(registry, _dated(candidate, LATER), _labelled_since(world.snapshot))
    assert f"on labels since {DATE}" in why


def test_without_new_labels_to_compare_on_the_newer_model_replaces_the_champion(world, candidate, registry):
    """A champion ranks labels that it has learnt too well to be compared on them."""
    promote_if_not_worse(registry, candidate, world.snapshot)
    newer = _dated(candidate, LATER)
    promoted, why = promote_if_not_worse(registry, newer, replace(world.snapshot, date=LATER))
    assert promoted
    assert "too few labels since" in why


def test_the_first_model_is_promoted_once(world, candidate, registry):
    promoted, _ = promote_if_not_worse(registry, candidate, world.snapshot)
    promote_if_not_worse(registry, candidate, world.snapshot)
    assert promoted
    assert [promotion.version for promotion in registry.promotions()] == registry.versions()


def test_a_worse_model_is_stored_and_not_promoted(world, candidate, registry):
    promote_if_not_worse(registry, candidate, world.snapshot)
    champion = registry.champion()
    noise = np.random.default_rng(0).random(world.snapshot.n_accounts)
    worse = _dated(candidate, LATER)._replace(held_out=noise)
    promoted, why = promote_if_not_worse(registry, worse, _labelled_since(world.snapshot))
    assert not promoted
    assert "worse" in why
    assert registry.champion() == champion
    assert len(registry.versions()) == 2


def test_a_model_no_better_than_chance_is_no_first_champion(world, candidate, registry):
    useless = replace(candidate.model, metrics=candidate.model.metrics | {"auroc": 0.51})
    promoted, _ = promote_if_not_worse(registry, candidate._replace(model=useless), world.snapshot)
    assert not promoted
    assert registry.champion() is None


def test_the_champion_of_an_older_night_is_the_one_of_then(candidate, registry):
    first = registry.save(candidate.model)
    second = registry.save(_dated(candidate, LATER).model)
    registry.promote(second, date=LATER, why="newer")
    registry.promote(first, date=DATE, why="older, made later")
    assert registry.champion_as_of(DATE - dt.timedelta(days=1)) is None
    assert registry.champion_as_of(DATE) == first
    assert registry.champion_as_of(LATER) == registry.champion() == second


def test_rollback_brings_back_the_one_before(candidate, registry):
    first = registry.save(candidate.model)
    second = registry.save(_dated(candidate, LATER).model)
    registry.promote(first, date=DATE, why="first")
    registry.promote(second, date=LATER, why="second")
    assert registry.rollback() == first == registry.champion_as_of(LATER)
    assert registry.rollback() is None
    with pytest.raises(ModelStoreError, match="no champion"):
        registry.rollback()


def test_the_list_names_the_champion(candidate, registry):
    first = registry.save(candidate.model)
    second = registry.save(_dated(candidate, LATER).model)
    registry.promote(first, date=DATE, why="first")
    assert [(stored.version, stored.is_champion) for stored in registry.list_models()] == [
        (first, True),
        (second, False),
    ]


@pytest.mark.parametrize("name", ["model.safetensors", "model.json"])
def test_a_damaged_file_is_named_and_the_way_out_too(candidate, registry, name):
    version = registry.save(candidate.model)
    path = registry.folder / version / name
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ModelStoreError, match=rf"{version}.*ringwatch train"):
        registry.load(version)


def test_models_are_listed_without_their_weights(candidate, registry):
    version = registry.save(candidate.model)
    (registry.folder / version / "model.safetensors").unlink()
    [listed] = Catalog(registry.folder).list_models()
    assert (listed.version, listed.snapshot_date) == (version, DATE.isoformat())


def test_a_version_that_is_none_reaches_no_file(registry):
    with pytest.raises(ModelStoreError, match="no model"):
        registry.load("../elsewhere")


def test_a_damaged_register_is_a_clear_error(registry):
    registry.folder.mkdir()
    (registry.folder / "champions.json").write_text("[{")
    with pytest.raises(ModelStoreError, match=r"champions\.json"):
        registry.champion()


def test_a_snapshot_comes_back_as_it_was_written(world, tmp_path):
    write_snapshot(world.snapshot, tmp_path / "one")
    write_snapshot(read_snapshot(tmp_path / "one"), tmp_path / "two")
    files = sorted(path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("*.*"))
    assert files
    for file in files:
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_a_missing_table_is_empty_only_where_the_counts_agree(world, tmp_path):
    write_snapshot(world.snapshot, tmp_path / "night")
    (tmp_path / "night" / "relationships" / "REFERRED_BY.parquet").unlink()
    assert read_snapshot(tmp_path / "night").relationships["REFERRED_BY"].num_rows == 0
    (tmp_path / "night" / "relationships" / "USED_IP.parquet").unlink()
    with pytest.raises(SnapshotError, match=r"differ from its snapshot\.json"):
        read_snapshot(tmp_path / "night")


def test_a_folder_without_a_snapshot_is_a_clear_error(tmp_path):
    with pytest.raises(SnapshotError, match="holds no snapshot"):
        read_snapshot(tmp_path)


def test_a_relationship_to_nobody_is_a_clear_error(world):
    accounts = world.snapshot.accounts.slice(1)
    broken = replace(world.snapshot, nodes=world.snapshot.nodes | {"Account": accounts})
    with pytest.raises(SnapshotError, match="name a node that its node table lacks"):
        _ = broken.ends


def test_the_stored_model_is_readable(candidate, registry):
    about = json.loads((registry.folder / registry.save(candidate.model) / "model.json").read_text())
    assert about["metrics"]["n_fake"] > 0
    assert set(about["thresholds"]) == {"suspicious", "watch"}
    assert "torch" in about["packages"]


def test_a_champion_that_an_earlier_version_wrote_is_not_used_and_the_log_says_what_to_do(candidate, registry, caplog):
    version = registry.save(candidate.model)
    registry.promote(version, date=DATE, why="first")
    path = registry.folder / version / "model.json"
    about = json.loads(path.read_text())
    del about["format"], about["kind"]  # as they were before there were formats
    path.write_text(json.dumps(about))
    assert registry.champion_as_of(DATE) is registry.champion() is None
    assert f"{version} was written by an earlier version" in caplog.text
    assert "ringwatch train" in caplog.text
    assert [stored.version for stored in registry.list_models()] == [version]
    with pytest.raises(ModelStoreError, match="format is 1"):
        registry.load(version)


def test_the_list_reads_no_weights(candidate, registry):
    version = registry.save(candidate.model)
    (registry.folder / version / "model.safetensors").unlink()
    [stored] = registry.list_models()
    assert (stored.version, stored.snapshot_date) == (version, str(DATE))
    assert stored.metrics == candidate.model.metrics
