"""Labels that repeat what a property says, for Neo4j Browser colours nodes by label alone.

Accounts and rings bear them: one of the machine's for `fraud_label`, and one for a person's `review_decision`.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Mark:
    """One label.

    Attributes:
        label: as nodes bear it.
        value: of the property that it repeats.
        colour: fill for what the machine says, border for what a person decided.
        says: in words.
    """

    label: str
    value: str
    colour: str
    says: str


SAID = (  # repeat fraud_label
    Mark("Suspicious", "suspicious", "#d1495b", "suspicious, says the model"),
    Mark("Watched", "watch", "#edae49", "watched, says the model"),
)
DECIDED = (  # repeat review_decision
    Mark("FoundFake", "fake", "#7209b7", "found fake, by a person"),
    Mark("FoundLegitimate", "legitimate", "#1b7f5c", "found legitimate, by a person"),
    Mark("NeedsMore", "needs_more", "#2d5da8", "needs more, by a person"),
)
DECISIONS = tuple(mark.value for mark in DECIDED)
VERDICTS = DECISIONS[:2]  # those that settle it


def put_marks(node: str) -> tuple[str, ...]:
    """Statements that make the marks of a kind of node (Account or Ring) repeat its properties again.

    Of `fraud_label` they only take marks off, by the marks that are there: who bears one anew is for the caller to say.
    """
    off = [
        f"MATCH (n:{mark.label}) WHERE n:{node} AND coalesce(n.{name}, '') <> '{mark.value}' REMOVE n:{mark.label}"
        for name, marks in (("fraud_label", SAID), ("review_decision", DECIDED))
        for mark in marks
    ]
    on = [
        f"MATCH (n:{node}) WHERE n.review_decision = '{mark.value}' AND NOT n:{mark.label} SET n:{mark.label}"
        for mark in DECIDED
    ]
    return (*off, *on)
