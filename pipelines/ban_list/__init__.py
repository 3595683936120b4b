"""The ban list: proposed by a policy, decided by a person, published whole or not at all."""

from ringwatch.pipelines.ban_list.approval import (
    Decision,
    Standing,
    approve,
    approve_by_policy,
    read_decision,
    reject,
    standing,
)
from ringwatch.pipelines.ban_list.proposal import Proposal, propose, read_proposal
from ringwatch.pipelines.ban_list.publication import Publication, publish

__all__ = [
    "Decision",
    "Proposal",
    "Publication",
    "Standing",
    "approve",
    "approve_by_policy",
    "propose",
    "publish",
    "read_decision",
    "read_proposal",
    "reject",
    "standing",
]
