"""Errors of the models that a user can act on."""

from ringwatch.graph_schema.errors import RingwatchError


class SnapshotError(RingwatchError):
    """A snapshot is missing, incomplete or contradicts itself."""


class TooFewLabelsError(RingwatchError):
    """Too few accounts have a known label to train and to hold some out; the default model scores instead."""


class ModelStoreError(RingwatchError):
    """A stored model, or the register of champions, cannot be read."""


class TooFewGroupsError(RingwatchError):
    """Simulated worlds held too few groups to fit a ring classifier."""
