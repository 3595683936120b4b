"""Families of campaigns, from which worlds of random structure draw: each is told by what its accounts share.

Sizes, times, work and labels are drawn by `structures.py`; here stands only what makes the family.
"""

from typing import Any

from ringwatch.pipelines.simulate.knobs.declaration import Joining, Kind, Paying, Place, Stock, Work, networks

_NETWORK = networks(hosting=0.4, residential=0.35, business=0.1, proxy=0.1, mobile=0.03, tor=0.02)
_OWN_EGRESS = Place(
    sources=(0.2, 0.1, 0.4, 0.08, 0.14, 0.08), networks=_NETWORK, accounts_per_address=(2.5, 10.0), abroad=0.1
)
_ANYWHERE = Place(sources=(0.3, 0.15, 0.0, 0.15, 0.25, 0.15), abroad=0.15)
_CARDS = Stock(held=1.1, shared=0.7, accounts_each=(2.5, 6.0))
_DEVICES = Stock(held=1.3, shared=0.65, accounts_each=(2.5, 6.0), popular=0.08)
_PHONES = Stock(held=0.7, shared=0.6, accounts_each=(2.0, 5.0), popular=0.1)
_TEMPLATES = Stock(held=1.6, shared=0.6, accounts_each=(8.0, 60.0), popular=0.25, renewed_per_day=0.01)


def _family(name: str, about: str, **shared: Any) -> Kind:
    """A family of campaigns that share what is named, and nothing else."""
    defaults: dict[str, Any] = {
        "group_size": (6.0, 40.0),
        "place": _ANYWHERE,
        "work": Work(surges=0.0, templated=0.35),
        "paying": Paying(plans=(0.45, 0.47, 0.08, 0.0), topups_per_month=1.0, prepaid=0.1),
        "variety": 0.3,
    }
    return Kind(name, about, is_fake=True, **defaults | shared)


RING_FAMILIES = (
    _family("card_ring", "cards by fours and an egress of their own", cards=_CARDS, place=_OWN_EGRESS),
    _family("card_device_ring", "cards by fours and devices by threes, no network", cards=_CARDS, devices=_DEVICES),
    _family("device_farm", "racks of phones behind one line", devices=_DEVICES, place=_OWN_EGRESS, phones=_PHONES),
    _family(
        "contact_ring",
        "rented numbers and aliases of a few mailboxes",
        phones=_PHONES,
        same_email=0.4,
        devices=_DEVICES,
    ),
    _family("template_ring", "private templates and addresses", templates=_TEMPLATES, place=_OWN_EGRESS),
    _family("card_template_ring", "private templates, paid by few cards", templates=_TEMPLATES, cards=_CARDS),
    _family(
        "subnet_ring",
        "an address each, all in a few subnets, and devices by threes",
        devices=_DEVICES,
        place=Place(
            sources=(0.05, 0.05, 0.8, 0.0, 0.05, 0.05),
            networks=networks(hosting=0.8, proxy=0.2),
            accounts_per_address=(1.0, 2.0),
            n_subnets=(1.0, 3.0),
        ),
    ),
    _family(
        "referral_chain",
        "each account is referred by one before it, for credits; a device for some",
        joining=Joining(referred=0.9),
        devices=_DEVICES,
    ),
    _family(
        "transfer_ring",
        "credits are gathered by transfers among accounts that share cards",
        cards=_CARDS,
        paying=Paying(plans=(0.3, 0.6, 0.1, 0.0), transfers_per_month=2.5, prepaid=0.2),
    ),
    _family(
        "everything_ring",
        "cards, devices, numbers, templates and addresses, a little of each",
        cards=_CARDS,
        devices=_DEVICES,
        phones=_PHONES,
        templates=_TEMPLATES,
        place=_OWN_EGRESS,
    ),
    _family(
        "bought_ring",
        "aged accounts bought from people, which from some day on share devices and an egress",
        joining=Joining(since_days=(150.0, 380.0), within_days=(60.0, 300.0), dormant_days=(5.0, 150.0), bought=0.7),
        devices=_DEVICES,
        place=_OWN_EGRESS,
    ),
)
