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
from ringwatch.models.ensemble.stack import CrossFit, Stack
from ringwatch.models.ensemble.thresholds import Thresholds
from ringwatch.models.ensemble.trees import Trees
from ringwatch.models.gnn.input_schema import InputSchema
from ringwatch.models.registry.catalog import FORMAT, KIND, read_metadata, unreadable
from ringwatch.models.registry.model import Calibration, Member, OwnNetworks, TrainedModel
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
                Member(_input_schema(member), _of_member(tensors, str(position)))
                for position, member in enumerate(about["members"])
            ),
            own=_own(tensors, about["own"]),
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
        "own": _own_json(model.own) if model.own else None,
        "stack": _stack_json(model.stack),
    }


def _weights(model: TrainedModel) -> bytes:
    networks = {str(position): member for position, member in enumerate(model.members)}
    texts = {
        _trees_key(kind, position): part.model_strings
        for kind in _KINDS_OF_TREES
        for position, part in enumerate(getattr(model.stack, kind))
    }
    for fold, parts in enumerate(model.stack.cross_fit.folds if model.stack.cross_fit else ()):
        texts |= {_trees_key(f"fold-{fold}", position): part.model_strings for position, part in enumerate(parts)}
    if model.own:
        networks |= {f"own/{position}": member for position, member in enumerate(model.own.members)}
        texts["trees/own"] = model.own.trees.model_strings
    of_networks = {
        f"{prefix}/{name}": tensor.contiguous()
        for prefix, member in networks.items()
        for name, tensor in member.weights.items()
    }
    of_trees = {
        f"{key}/{number}": torch.frombuffer(bytearray(each.encode()), dtype=torch.uint8)
        for key, of_part in texts.items()
        for number, each in enumerate(of_part)
    }
    return save(of_networks | of_trees)


def _own_json(own: OwnNetworks) -> dict[str, Any]:
    return {
        "members": [_input_schema_json(member.inputs) for member in own.members],
        "n_models": len(own.trees.model_strings),
        "share_of_trees": own.trees.share,
    }


def _own(tensors: dict[str, Tensor], about: dict[str, Any] | None) -> OwnNetworks | None:
    if about is None:
        return None
    members = (
        Member(_input_schema(member), _of_member(tensors, f"own/{position}"))
        for position, member in enumerate(about["members"])
    )
    trees = Trees(_model_strings(tensors, "trees/own", about["n_models"]), about["share_of_trees"])
    return OwnNetworks(tuple(members), trees)


def _ring_classifier(about: dict[str, Any]) -> RingClassifier:
    return RingClassifier(
        tuple(about["coefficients"]),
        tuple(about["feature_means"]),
        about["intercept"],
        Thresholds(**about["thresholds"]),
    )


def _stack_json(stack: Stack) -> dict[str, Any]:
    about: dict[str, Any] = {kind: _parts_json(getattr(stack, kind)) for kind in _KINDS_OF_TREES}
    if stack.cross_fit:
        about["cross_fit"] = {
            "folds": [_parts_json(parts) for parts in stack.cross_fit.folds],
            "salt": stack.cross_fit.salt,
        }
    return {**about, "weights": stack.weights, "smoothing": stack.smoothing}


def _parts_json(parts: tuple[TreePart, ...]) -> list[dict[str, Any]]:
    return [{"name": part.name, "n_models": len(part.model_strings)} for part in parts]


def _stack(tensors: dict[str, Tensor], about: dict[str, Any]) -> Stack:
    pretrained, fitted = (_tree_parts(tensors, kind, about[kind]) for kind in _KINDS_OF_TREES)
    cross_fit = None
    if "cross_fit" in about:
        folds = enumerate(about["cross_fit"]["folds"])
        cross_fit = CrossFit(
            tuple(_tree_parts(tensors, f"fold-{fold}", parts) for fold, parts in folds), about["cross_fit"]["salt"]
        )
    return Stack(pretrained, fitted, tuple(about["weights"]), about["smoothing"], cross_fit)


def _tree_parts(tensors: dict[str, Tensor], kind: str, about: list[dict[str, Any]]) -> tuple[TreePart, ...]:
    return tuple(_tree_part(tensors, kind, position, **part) for position, part in enumerate(about))


def _tree_part(tensors: dict[str, Tensor], kind: str, position: int, name: str, n_models: int) -> TreePart:
    return TreePart(name, _model_strings(tensors, _trees_key(kind, position), n_models))


def _model_strings(tensors: dict[str, Tensor], key: str, n_models: int) -> tuple[str, ...]:
    return tuple(tensors[f"{key}/{number}"].numpy().tobytes().decode() for number in range(n_models))


def _trees_key(kind: str, position: int) -> str:
    return f"trees/{kind}/{position}"


def _of_member(tensors: dict[str, Tensor], key: str) -> dict[str, Tensor]:
    prefix = f"{key}/"
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
