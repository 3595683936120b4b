"""A trained model as two files: weights and trees as safetensors, and everything else as JSON."""

import datetime as dt
import hashlib
import json
from dataclasses import asdict
from importlib.metadata import version as package_version
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from ringwatch.models.common.errors import ModelStoreError
from ringwatch.models.ensemble.thresholds import Thresholds
from ringwatch.models.ensemble.trees import Trees
from ringwatch.models.gnn.input_schema import Shape
from ringwatch.models.registry.model import Calibration, Member, TrainedModel
from ringwatch.models.rings.classifier import RingJudge

_PACKAGES = ("lightgbm", "numpy", "scikit-learn", "torch", "torch-geometric")


def version_of(model: TrainedModel) -> str:
    """`gnn-<date of the snapshot>-<8 hex digits of its content>`: the same training gives the same version.

    In place of the date the default model, which no platform's night taught, has `default`.
    """
    content = hashlib.sha256(_weights(model) + _canonical(_about(model)))
    return f"gnn-{_day(model) or 'default'}-{content.hexdigest()[:8]}"


def write_model(model: TrainedModel, folder: Path) -> None:
    """Write both files into a folder."""
    weights = _weights(model)
    (folder / "model.safetensors").write_bytes(weights)
    about = {
        "version": version_of(model),
        "weights_sha256": hashlib.sha256(weights).hexdigest(),
        "packages": {name: package_version(name) for name in _PACKAGES},
        **_about(model),
    }
    (folder / "model.json").write_text(json.dumps(about, indent=1) + "\n")


def read_model(folder: Path) -> TrainedModel:
    """The model that `write_model` left in a folder.

    Raises:
        ModelStoreError: a file is missing or damaged.
    """
    try:
        about = json.loads((folder / "model.json").read_text())
        weights = (folder / "model.safetensors").read_bytes()
        if hashlib.sha256(weights).hexdigest() != about["weights_sha256"]:
            raise ValueError("the weights are not those that model.json was written with")
        tensors = load(weights)
        return TrainedModel(
            snapshot_date=dt.date.fromisoformat(about["snapshot_date"]) if about["snapshot_date"] else None,
            seed=about["seed"],
            members=tuple(
                Member(_shape(member), _of_member(tensors, position))
                for position, member in enumerate(about["members"])
            ),
            trees=_trees(tensors, about["trees"]),
            calibration=Calibration(**about["calibration"]),
            thresholds=Thresholds(**about["thresholds"]),
            judge=_judge(about["judge"]),
            metrics=about["metrics"],
        )
    except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
        raise ModelStoreError(
            f"cannot read the model in {folder}: {error}. Delete the folder and run `ringwatch train`, or roll back."
        ) from None


def _about(model: TrainedModel) -> dict[str, Any]:
    return {
        "snapshot_date": _day(model),
        "seed": model.seed,
        "calibration": asdict(model.calibration),
        "thresholds": asdict(model.thresholds),
        "judge": asdict(model.judge),
        "metrics": model.metrics,
        "members": [_shape_json(member.shape) for member in model.members],
        "trees": {"n": len(model.trees.members), "share": model.trees.share} if model.trees else None,
    }


def _weights(model: TrainedModel) -> bytes:
    of_networks = {
        f"{position}/{name}": tensor.contiguous()
        for position, member in enumerate(model.members)
        for name, tensor in member.weights.items()
    }
    texts = model.trees.members if model.trees else ()
    of_trees = {
        _trees_key(n): torch.frombuffer(bytearray(text.encode()), dtype=torch.uint8) for n, text in enumerate(texts)
    }
    return save(of_networks | of_trees)


def _judge(about: dict[str, Any]) -> RingJudge:
    return RingJudge(
        tuple(about["weights"]), tuple(about["usual"]), about["intercept"], Thresholds(**about["thresholds"])
    )


def _trees(tensors: dict[str, Tensor], about: dict[str, Any] | None) -> Trees | None:
    if about is None:
        return None
    texts = (tensors[_trees_key(n)].numpy().tobytes().decode() for n in range(about["n"]))
    return Trees(tuple(texts), about["share"])


def _trees_key(position: int) -> str:
    return f"trees/{position}"


def _of_member(tensors: dict[str, Tensor], position: int) -> dict[str, Tensor]:
    prefix = f"{position}/"
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def _canonical(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def _day(model: TrainedModel) -> str | None:
    return model.snapshot_date.isoformat() if model.snapshot_date else None


def _shape_json(shape: Shape) -> dict[str, Any]:
    edges = [[*edge_type, inputs] for edge_type, inputs in shape.edges.items()]
    return {"accounts": shape.accounts, "edges": edges, "identifiers": shape.identifiers, "pairs": shape.pairs}


def _shape(about: dict[str, Any]) -> Shape:
    return Shape(
        tuple(about["accounts"]),
        {(source, name, target): tuple(inputs) for source, name, target, inputs in about["edges"]},
        {label: tuple(inputs) for label, inputs in about["identifiers"].items()},
        tuple(about["pairs"]),
    )
