"""What the parts of a stack see of a snapshot, and their combined logit."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from torch_geometric.data import HeteroData

from ringwatch.models.data.labels import Labels
from ringwatch.models.data.links import Links
from ringwatch.models.ensemble.evidence import SharedEvidence, shared_evidence
from ringwatch.models.ensemble.parts import TreePart, part_inputs, part_logits
from ringwatch.models.ensemble.stack import Stack
from ringwatch.models.features.account import Columns
from ringwatch.models.registry.model import Member
from ringwatch.models.scoring.networks import predict_logits


class StackInputs(NamedTuple):
    """Of one night, with every label hidden.

    Attributes:
        unfitted: `[1 + n_pretrained, n_accounts] float64` logits of the network and of pretrained trees.
        links: by the network.
        shared: what the candidate pairs share.
        of_parts: inputs of each part, `[n_accounts, n_inputs]` each.
    """

    unfitted: np.ndarray
    links: Links
    shared: SharedEvidence
    of_parts: Mapping[str, Columns]


def stack_inputs(
    members: Sequence[Member], pretrained: Sequence[TreePart], data: HeteroData, labels: Labels
) -> StackInputs:
    """What a stack combines; one pass of the network."""
    logits, links = predict_logits(members, None, data, labels, np.zeros(labels.target.size, dtype=bool))
    shared = shared_evidence(data)
    of_parts = part_inputs(data, logits, links, shared)
    return StackInputs(np.stack([logits, *part_logits(pretrained, of_parts)]), links, shared, of_parts)


def stacked_logits(stack: Stack, inputs: StackInputs) -> np.ndarray:
    """One logit for each account, `[n_accounts] float64`."""
    logits = np.stack([*inputs.unfitted, *part_logits(stack.fitted, inputs.of_parts)])
    return stack.combine(logits, inputs.links, inputs.shared)
