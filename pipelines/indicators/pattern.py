"""STIX patterns: what we write, and the part of what partners write that can be matched against accounts.

Read is one observation of comparisons joined by OR, each of a value that `kinds` declares. Anything else would have to
be left out in part, and then a pattern would match more than its author meant: it is refused whole, with the reason.
"""

import re
from typing import Any

from stix2patterns.exceptions import ParseException
from stix2patterns.v21.grammars.STIXPatternListener import STIXPatternListener
from stix2patterns.v21.pattern import Pattern

from ringwatch.graph_schema.signals import Kind
from ringwatch.pipelines.indicators.kinds import (
    ADDRESS,
    BROADEST,
    CARD,
    DOMAIN,
    EQUALS,
    KINDS,
    KINDS_BY_LABEL,
    PUBLIC_DOMAINS,
    SUBNET,
    TEMPLATE,
    WITHIN,
    Named,
    network_of,
)
from ringwatch.pipelines.ingest.casting.values import MAX_ID_LENGTH, cast_value

_MAX_VALUES = 1000
_PATHS = {path for kind in KINDS for path in kind.paths}
_HMAC = re.compile("[0-9a-f]{64}")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


class UnsupportedError(ValueError):
    """A pattern that cannot be matched; the message says why."""


def write_pattern(named: Named) -> str:
    """The pattern that names one identifier."""
    kind = KINDS_BY_LABEL[named.label]
    value = named.value.replace("\\", "\\\\").replace("'", "\\'")
    return f"[{path_of(named)} {kind.operator} '{value}']"


def path_of(named: Named) -> str:
    """The STIX object and property that hold an identifier."""
    paths = KINDS_BY_LABEL[named.label].paths
    return paths[-1] if ":" in named.value else paths[0]


def read_pattern(text: str) -> tuple[Named, ...]:
    """The identifiers that a pattern names, any of which it matches; sorted, each once.

    Raises:
        UnsupportedError: it is no pattern, or says more than that.
    """
    reader = _Reader()
    try:
        Pattern(text).walk(reader)
    except (ParseException, RecursionError) as error:
        raise UnsupportedError("no pattern of STIX 2.1") from error
    if reader.refused:
        raise UnsupportedError(reader.refused[0])
    found = {_named(path, operator, value) for path, operator, value in reader.comparisons}
    if len(found) > _MAX_VALUES:
        raise UnsupportedError(f"more than {_MAX_VALUES:,} values")
    return tuple(sorted(found))


class _Reader(STIXPatternListener):  # type: ignore[misc]  # the library ships no types
    """Notes down the comparisons of a pattern, and what there is beside them.

    Not the library's own syntax tree, which drops the NOT of `NOT IN` and of `NOT ISSUBSET`.
    """

    def __init__(self) -> None:
        self.comparisons: list[tuple[str, str, str]] = []  # path, operator, value
        self.refused: list[str] = []

    def _compare(self, context: Any, operator: str, literals: list[Any], negated: object = None) -> None:
        path = context.objectPath().getText()
        if context.NOT() or negated:
            self.refused.append("a negated comparison")
        elif path not in _PATHS:
            self.refused.append(f"{path} is not matched here")
        for literal in literals:
            raw = literal.getText()
            if not raw.startswith("'"):
                self.refused.append("a value that is no text")
            self.comparisons.append((path, operator, _ESCAPED.sub(r"\1", raw[1:-1])))

    # Names of methods are the library's, by the rules of its grammar.

    def exitPropTestEqual(self, ctx: Any) -> None:
        self._compare(ctx, EQUALS, [ctx.primitiveLiteral()], ctx.NEQ())

    def exitPropTestSet(self, ctx: Any) -> None:
        self._compare(ctx, EQUALS, ctx.setLiteral().primitiveLiteral())

    def exitPropTestIsSubset(self, ctx: Any) -> None:
        self._compare(ctx, WITHIN, [ctx.StringLiteral()])

    def _refuse_comparison(self, _: Any) -> None:
        self.refused.append("a comparison other than =, IN and ISSUBSET")

    exitPropTestOrder = exitPropTestLike = exitPropTestRegex = _refuse_comparison
    exitPropTestIsSuperset = exitPropTestExists = _refuse_comparison

    def exitComparisonExpressionAnd(self, ctx: Any) -> None:
        if ctx.AND():
            self.refused.append("comparisons joined by AND")

    def _refuse_more(self, ctx: Any) -> None:
        if ctx.getChildCount() > 1:
            self.refused.append("more than one observation")

    exitObservationExpressions = exitObservationExpressionOr = exitObservationExpressionAnd = _refuse_more

    def _refuse_qualifier(self, _: Any) -> None:
        self.refused.append("a qualifier of time or number")

    exitStartStopQualifier = exitWithinQualifier = exitRepeatedQualifier = _refuse_qualifier


def _named(path: str, operator: str, value: str) -> Named:
    if path in ADDRESS.paths:
        return _network(path, value)
    if operator != EQUALS:
        raise UnsupportedError(f"{operator} is for addresses")
    if path in CARD.paths:
        if not _HMAC.fullmatch(value):
            raise UnsupportedError("no HMAC-SHA256 in lower-case hexadecimal")
        return Named(CARD.label, value)
    if path in DOMAIN.paths:
        return Named(DOMAIN.label, _domain(value))
    if not 0 < len(value) <= MAX_ID_LENGTH:
        raise UnsupportedError(f"a fingerprint of not 1 to {MAX_ID_LENGTH} characters")
    return Named(TEMPLATE.label, value)


def _domain(value: str) -> str:
    try:
        domain = str(cast_value(value, Kind.DOMAIN))
    except ValueError:
        raise UnsupportedError("no domain") from None
    if domain in PUBLIC_DOMAINS:
        raise UnsupportedError("a public mail domain")
    return domain


def _network(path: str, value: str) -> Named:
    try:
        network = network_of(value)
    except ValueError:
        raise UnsupportedError("no address or CIDR") from None
    if path != ADDRESS.paths[network.version == 6]:
        raise UnsupportedError(f"no address of the kind that {path} says")
    if network.prefixlen < BROADEST[network.version]:
        raise UnsupportedError(f"too broad: IPv{network.version} wants /{BROADEST[network.version]} or longer")
    if not network.is_global:
        raise UnsupportedError("no public address")
    if network.prefixlen == network.max_prefixlen:
        return Named(ADDRESS.label, str(network.network_address))
    return Named(SUBNET.label, str(network))
