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

from ringwatch.models.common.memory import hold_no_freed_memory
from ringwatch.models.ensemble.parts import TreePart
from ringwatch.models.ensemble.stack import Stack
from ringwatch.models.ensemble.thresholds import Thresholds
from ringwatch.models.gnn.input_schema import InputSchema
from ringwatch.models.registry.catalog import FORMAT, KIND, read_metadata, unreadable
from ringwatch.models.registry.model import Calibration, Member, TrainedModel
from ringwatch.models.rings.classifier import RingClassifier

_KINDS_OF_TREES = ("pretrained", "fitted")  # of a stack
_PACKAGES = ("lightgbm", "numpy", "scikit-learn", "torch", "torch-geometric")


def version_of(model: TrainedModel) -> str:
    """`gnn-<date of the snapshot>-<8 hex digits of its content>`: the same training gives the same version.

    In place of the date the default model, which was trained on no platform's night, has `default`.
    """
    content = hashlib.sha256(_weights(model) + _canonical(_about(model)))
    return f"gnn-{_day(model) or 'default'}-{content.hexdigest()[:8]}"


def write_model(model: TrainedModel, folder: Path) -> None:
    """Write both files into a folder."""
    weights = _weights(model)
    (folder / "model.safetensors").write_bytes(weights)
    about = {
        "format": FORMAT,
        "kind": KIND,
        "version": version_of(model),
        "weights_sha256": hashlib.sha256(weights).hexdigest(),
        "packages": {name: package_version(name) for name in _PACKAGES},
        **_about(model),
    }
    (folder / "model.json").write_text(json.dumps(about, indent=1) + "\n")


def read_model(folder: Path) -> TrainedModel:
    """The model that `write_model` left in a folder.

    Raises:
        ModelStoreError: a file is missing, damaged, or of another format.
    """
    hold_no_freed_memory()
    try:
        about = read_metadata(folder)
        if about.get("format", 1) != FORMAT:
            raise ValueError(f"its format is {about.get('format', 1)}, where this version of Ringwatch reads {FORMAT}")
        weights = (folder / "model.safetensors").read_bytes()
        if hashlib.sha256(weights).hexdigest() != about["weights_sha256"]:
            raise ValueError("the weights are not those that model.json was written with")
        tensors = load(weights)
        return TrainedModel(
            snapshot_date=dt.date.fromisoformat(about["snapshot_date"]) if about["snapshot_date"] else None,
            seed=about["seed"],
            members=tuple(
                Member(_input_schema(member), _of_member(tensors, position))
                for position, member in enumerate(about["members"])
            ),
            stack=_stack(tensors, about["stack"]),
            calibration=Calibration(**about["calibration"]),
            thresholds=Thresholds(**about["thresholds"]),
            ring_classifier=_ring_classifier(about["ring_classifier"]),
            metrics=about["metrics"],
        )
    except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
        raise unreadable(folder, error) from None


def _about(model: TrainedModel) -> dict[str, Any]:
    return {
        "snapshot_date": _day(model),
        "seed": model.seed,
        "calibration": asdict(model.calibration),
        "thresholds": asdict(model.thresholds),
        "ring_classifier": asdict(model.ring_classifier),
        "metrics": model.metrics,
        "members": [_input_schema_json(member.inputs) for member in model.members],
        "stack": _stack_json(model.stack),
    }


def _weights(model: TrainedModel) -> bytes:
    of_networks = {
        f"{position}/{name}": tensor.contiguous()
        for position, member in enumerate(model.members)
        for name, tensor in member.weights.items()
    }
    of_trees = {
        _trees_key(kind, position, number): torch.frombuffer(bytearray(each.encode()), dtype=torch.uint8)
        for kind in _KINDS_OF_TREES
        for position, part in enumerate(getattr(model.stack, kind))
        for number, each in enumerate(part.model_strings)
    }
    return save(of_networks | of_trees)


def _ring_classifier(about: dict[str, Any]) -> RingClassifier:
    return RingClassifier(
        tuple(about["coefficients"]),
        tuple(about["feature_means"]),
        about["intercept"],
        Thresholds(**about["thresholds"]),
    )


def _stack_json(stack: Stack) -> dict[str, Any]:
    parts = {
        kind: [{"name": part.name, "n_models": len(part.model_strings)} for part in getattr(stack, kind)]
        for kind in _KINDS_OF_TREES
    }
    return {**parts, "weights": stack.weights, "smoothing": stack.smoothing}


def _stack(tensors: dict[str, Tensor], about: dict[str, Any]) -> Stack:
    parts = {
        kind: tuple(_tree_part(tensors, kind, position, **part) for position, part in enumerate(about[kind]))
        for kind in _KINDS_OF_TREES
    }
    return Stack(**parts, weights=tuple(about["weights"]), smoothing=about["smoothing"])


def _tree_part(tensors: dict[str, Tensor], kind: str, position: int, name: str, n_models: int) -> TreePart:
    texts = (tensors[_trees_key(kind, position, number)].numpy().tobytes().decode() for number in range(n_models))
    return TreePart(name, tuple(texts))


def _trees_key(kind: str, position: int, number: int) -> str:
    return f"trees/{kind}/{position}/{number}"


def _of_member(tensors: dict[str, Tensor], position: int) -> dict[str, Tensor]:
    prefix = f"{position}/"
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def _canonical(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def _day(model: TrainedModel) -> str | None:
    return model.snapshot_date.isoformat() if model.snapshot_date else None


def _input_schema_json(schema: InputSchema) -> dict[str, Any]:
    edges = [[*edge_type, inputs] for edge_type, inputs in schema.edges.items()]
    return {"accounts": schema.accounts, "edges": edges, "identifiers": schema.identifiers, "pairs": schema.pairs}


def _input_schema(about: dict[str, Any]) -> InputSchema:
    return InputSchema(
        tuple(about["accounts"]),
        {(source, name, target): tuple(inputs) for source, name, target, inputs in about["edges"]},
        {label: tuple(inputs) for label, inputs in about["identifiers"].items()},
        tuple(about["pairs"]),
    )
