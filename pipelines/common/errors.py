"""The errors that a user can act on: the command line prints their one sentence and ends with their code."""

from ringwatch.graph_schema.errors import RingwatchError

__all__ = [
    "ApprovalError",
    "LockedError",
    "Neo4jUnreachableError",
    "NothingToLoadError",
    "QuarantineLimitError",
    "RingwatchError",
]


class NothingToLoadError(RingwatchError):
    """The night has no partition of any signal."""

    exit_code = 3


class QuarantineLimitError(RingwatchError):
    """Too large a share of a signal's rows failed its expectations; the graph was not touched."""

    exit_code = 4


class LockedError(RingwatchError):
    """Another writer holds the lock."""

    exit_code = 5


class Neo4jUnreachableError(RingwatchError):
    """Neo4j does not answer, or refuses the credentials."""

    exit_code = 6


class ApprovalError(RingwatchError):
    """A ban list may not be published as it stands."""

    exit_code = 7
