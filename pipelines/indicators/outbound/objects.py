"""Findings as STIX 2.1 objects.

    indicator -based-on-> observed-data, indicator -indicates-> campaign         a campaign's own
    campaign -uses-> infrastructure -consists-of-> addresses, subnets, its AS    a third party's, with customers

A third party's has no indicator, so that nobody acts on whoever uses it.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from itertools import groupby
from typing import Any

from stix2 import v21

from ringwatch.pipelines.indicators.kinds import HOSTING, KINDS_BY_LABEL, Named
from ringwatch.pipelines.indicators.outbound.findings import Campaign, Finding
from ringwatch.pipelines.indicators.outbound.issuer import Issuer, Object, PaymentInstrument, PromptTemplate, midnight
from ringwatch.pipelines.indicators.pattern import path_of, write_pattern

_OBSERVABLES = {
    "ipv4-addr": v21.IPv4Address,
    "ipv6-addr": v21.IPv6Address,
    "domain-name": v21.DomainName,
    "x-prompt-template": PromptTemplate,
    "x-payment-instrument": PaymentInstrument,
}
_THIRD_PARTYS = (
    "Run by a third party: campaigns passed through it, and so do customers who have nothing to do with them."
    " It is context, and no reason to act on anybody who uses it."
)
_RESOLD = " Lawful groups are among its customers, as behind a reseller."


def campaign_objects(issuer: Issuer, campaigns: Iterable[Campaign]) -> Iterator[Object]:
    """Campaigns, with counts and days and nothing of their members."""
    for campaign in campaigns:
        yield issuer.create(
            v21.Campaign,
            campaign.ring_id,
            name=campaign.ring_id,
            description=f"A ring of fake accounts; {campaign.n_listed:,} of them are on the ban list.",
            objective="fake accounts",
            first_seen=midnight(campaign.first_seen),
            last_seen=midnight(campaign.last_seen),
        )


def indicator_objects(issuer: Issuer, findings: Iterable[Finding], campaigns: set[str], *, days: int) -> list[Object]:
    """Indicators of what is campaigns' own, what each is based on, and which campaigns it indicates.

    Args:
        issuer: we.
        findings: a campaign's own, cards already as HMACs.
        campaigns: ids of the rings that are told of.
        days: how long they are in force.
    """
    return [each for finding in findings for each in _indicator(issuer, finding, campaigns, days)]


def _indicator(issuer: Issuer, finding: Finding, campaigns: set[str], days: int) -> Iterator[Object]:
    label, value = finding.named
    observable = _observable(issuer, finding.named)
    observed = issuer.create(
        v21.ObservedData,
        label,
        value,
        first_observed=midnight(finding.first_seen),
        last_observed=midnight(finding.last_seen),
        number_observed=finding.n_listed,
        object_refs=[observable["id"]],
    )
    words, pattern = KINDS_BY_LABEL[label].words, write_pattern(finding.named)
    indicator = issuer.create(
        v21.Indicator,
        label,
        value,
        issuer.in_force.get(pattern, issuer.now),
        name=f"{words} of fake accounts",
        description=f"{finding.n_listed:,} accounts on the ban list use this {words},"
        f" {_others(finding)}. A reason to look, and none to ban.",
        indicator_types=["malicious-activity"],
        pattern=pattern,
        pattern_type="stix",
        pattern_version="2.1",
        valid_from=issuer.at,
        valid_until=issuer.at + timedelta(days=days),
        confidence=finding.confidence,
    )
    yield from (observable, observed, indicator, issuer.relate(indicator["id"], "based-on", observed["id"]))
    for ring_id in campaigns.intersection(finding.rings):
        yield issuer.relate(indicator["id"], "indicates", issuer.id("campaign", ring_id))


def _others(finding: Finding) -> str:
    """Not how many others: few are named, if only by their number."""
    return "and nobody else" if finding.n_listed == finding.n_accounts else "and hardly anybody else"


def _observable(issuer: Issuer, named: Named) -> Object:
    type_, name = path_of(named).split(":")
    return issuer.observe(_OBSERVABLES[type_], **{name: named.value})


def infrastructure_objects(issuer: Issuer, findings: Sequence[Finding], campaigns: set[str]) -> list[Object]:
    """Third parties' networks that campaigns passed through: one object for each kind of network and AS."""
    objects: list[Object] = []
    ordered = sorted(findings, key=_provider)
    for (network_type, asn), members in groupby(ordered, key=_provider):
        objects += _infrastructure(issuer, network_type, asn, list(members), campaigns)
    return objects


def _provider(finding: Finding) -> tuple[str, int]:
    return finding.network_type or "", finding.asn or 0


def _infrastructure(
    issuer: Issuer, network_type: str, asn: int, members: list[Finding], campaigns: set[str]
) -> Iterator[Object]:
    infrastructure = issuer.create(
        v21.Infrastructure,
        network_type,
        asn,
        name=f"{network_type} network{f' of AS{asn}' if asn else ''}",
        description=_THIRD_PARTYS + (_RESOLD if any(each.n_lawful for each in members) else ""),
        infrastructure_types=["unknown" if network_type == HOSTING else "anonymization"],
        first_seen=midnight(min(each.first_seen for each in members)),
        last_seen=midnight(max(each.last_seen for each in members)),
    )
    yield infrastructure
    parts = [_observable(issuer, each.named) for each in members]
    if asn:
        parts.append(issuer.observe(v21.AutonomousSystem, number=asn))
    for part in parts:
        yield part
        yield issuer.relate(infrastructure["id"], "consists-of", part["id"])
    for ring_id in campaigns.intersection(ring for each in members for ring in each.rings):
        yield issuer.relate(issuer.id("campaign", ring_id), "uses", infrastructure["id"])


def grouping_of(issuer: Issuer, objects: Sequence[Object], *names: Any) -> list[Object]:
    """One grouping over objects, if there are any."""
    refs = sorted({each["id"] for each in objects})
    if not refs:
        return []
    said = {"name": f"Fake accounts found by {issuer.platform}", "context": "suspicious-activity", "object_refs": refs}
    return [issuer.create(v21.Grouping, *names, **said)]
