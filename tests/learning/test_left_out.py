"""The table of families that were left out of the training, as its command makes it."""

import json
import shutil
from importlib.resources import files

import pytest

from ringwatch.pipelines.common.errors import RingwatchError
from ringwatch.pipelines.evaluation.left_out import leave_one_out
from ringwatch.pipelines.evaluation.pretrain import RANDOM, world_arguments
from ringwatch.pipelines.simulate.population.world import World


def test_a_table_that_was_broken_off_goes_on_with_what_is_there(tmp_path, monkeypatch):
    trained = []

    def pretrained(folder, *, without, **_):
        trained.append(tuple(without))
        shutil.copytree(files("ringwatch.models.registry") / "default", folder)

    monkeypatch.setattr("ringwatch.pipelines.evaluation.left_out.pretrain_default", pretrained)
    monkeypatch.setattr("ringwatch.pipelines.evaluation.left_out._N_WORLDS", 2)
    numbers = {"n_worlds": 5, "n_accounts": 3000, "seed": 0}
    [row] = leave_one_out(tmp_path, ["kiosk"], **numbers)
    assert not row.is_fake
    assert 0 <= row.without_it.in_first_k <= 1
    assert "`kiosk`" in (tmp_path / "table.md").read_text()
    (tmp_path / "kiosk.json").write_text(
        (tmp_path / "kiosk.json").read_text().replace(json.dumps(row.with_it.average_precision), "0.123")
    )
    [again] = leave_one_out(tmp_path, ["kiosk"], **numbers)
    assert again.with_it.average_precision == 0.123
    assert trained == [(), ("kiosk",)]


def test_a_family_that_does_not_exist_is_refused(tmp_path):
    with pytest.raises(RingwatchError, match="no family kiosks: give some of"):
        leave_one_out(tmp_path, ["kiosks"], n_worlds=5, n_accounts=3000, seed=0)


def test_training_worlds_are_plain_and_of_random_structure_by_turns_and_lack_what_is_left_out():
    arguments = [world_arguments(0, position, 4000, ["kiosk", "hydra"]) for position in range(8)]
    assert [each.scenario == RANDOM for each in arguments] == [False, True] * 4
    assert len({each.n_accounts for each in arguments}) > 3
    for each in arguments:
        shares = {kind.name: kind.share for kind in World(each).kinds}
        assert not shares.get("kiosk")
        assert not shares.get("hydra")
