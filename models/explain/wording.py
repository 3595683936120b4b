"""Words for facts: counts, names of identifiers, shortened ids."""

from ringwatch.graph_schema.graph import NODES_BY_LABEL
from ringwatch.models.data.identifiers import SharedKind

_LONGEST_ID = 24
_IN_STEP_FROM = 3


def count(n: int, singular: str, plural: str | None = None) -> str:
    """A number with its noun, as `1 card`, `3 cards`."""
    return f"{n:,} {singular if n == 1 else plural or singular + 's'}"


def of_them_suspicious(n_suspicious: int, n: int) -> str:
    """What follows a count of accounts: how many of them are suspicious, nothing if none is."""
    if not n_suspicious:
        return ""
    if n == 1:
        return ", which is suspicious"
    return f", {'all' if n_suspicious == n else f'{n_suspicious:,}'} of them suspicious"


def in_the_same_hour(n: int) -> str:
    """What follows if several others first used it when the account did; one alone may be chance."""
    return f", {n:,} since the same hour" if n >= _IN_STEP_FROM else ""


def identifiers_noun(kind: SharedKind, n: int, n_cards: int) -> str:
    """`3 cards`, or `3 payment instruments` where not all are cards."""
    singular, plural = ("card", "cards") if n == n_cards else _nouns(kind)
    return count(n, singular, plural)


def named_kind(kind: SharedKind) -> str:
    """A kind of identifiers, in the plural."""
    return _nouns(kind)[1]


def named(kind: SharedKind, identifier: int) -> str:
    """`device d_12`, shortened; for kinds whose ids are only hashes, no name."""
    noun = _nouns(kind)[0]
    if not NODES_BY_LABEL[kind.label].is_key_readable:
        return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"
    id_ = kind.ids[identifier].as_py()
    return f"{noun} {id_ if len(id_) <= _LONGEST_ID else id_[: _LONGEST_ID - 1] + '…'}"


def _nouns(kind: SharedKind) -> tuple[str, str]:
    return NODES_BY_LABEL[kind.label].nouns or (kind.label, kind.label)
