"""What the parts of a stack see of a snapshot, and their combined logit."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from torch_geometric.data import HeteroData

from ringwatch.models.data.labels import Labels
from ringwatch.models.data.links import Links
from ringwatch.models.ensemble.evidence import SharedEvidence, shared_evidence
from ringwatch.models.ensemble.parts import TreePart, part_inputs, part_logits
from ringwatch.models.ensemble.stack import Stack
from ringwatch.models.features.account import Columns
from ringwatch.models.registry.model import Member, OwnNetworks
from ringwatch.models.scoring.networks import predict_logits


class StackInputs(NamedTuple):
    """Of one night, with every label hidden.

    Attributes:
        first: `[1 + n_pretrained, n_accounts] float64` logits of the network and of pretrained trees.
        last: `[0 or 1, n_accounts] float64` of a platform's own networks.
        links: by the network.
        shared: what the candidate pairs share.
        of_parts: inputs of each part that is fitted, `[n_accounts, n_inputs]` each.
    """

    first: np.ndarray
    last: np.ndarray
    links: Links
    shared: SharedEvidence
    of_parts: Mapping[str, Columns]

    def with_own(self, logits: np.ndarray) -> "StackInputs":
        """The same with `[n_accounts]` logits of a platform's own networks."""
        return self._replace(last=logits[None])


def stack_inputs(
    members: Sequence[Member], pretrained: Sequence[TreePart], data: HeteroData, labels: Labels
) -> StackInputs:
    """What a stack combines; one pass of the network."""
    logits, links = predict_logits(members, None, data, labels, np.zeros(labels.target.size, dtype=bool))
    shared = shared_evidence(data)
    links = replace(links, n_beyond_network=shared.n_beyond_network)
    of_parts = part_inputs(data, logits, links, shared)
    first = np.stack([logits, *part_logits(pretrained, of_parts)])
    return StackInputs(first, np.empty((0, logits.size)), links, shared, of_parts)


def own_logits(own: OwnNetworks, data: HeteroData, labels: Labels) -> np.ndarray:
    """Logits of a platform's own networks, `[n_accounts] float64`, which take its labels as inputs."""
    return predict_logits(own.members, own.trees, data, labels, labels.is_known)[0]


def stacked_logits(stack: Stack, inputs: StackInputs) -> np.ndarray:
    """One logit for each account, `[n_accounts] float64`."""
    logits = np.stack([*inputs.first, *part_logits(stack.fitted, inputs.of_parts), *inputs.last])
    return stack.combine(logits, inputs.links, inputs.shared)
