"""Ways to frame an ordinary person: what attackers' accounts do so that somebody else is suspected."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Style:
    """What the attackers of one victim do.

    Attributes:
        name: as in the reports.
        about: in words.
        n_attackers: accounts that each victim costs.
        device: they show the victim's device fingerprint.
        card: they try the victim's card and fail, or pay with it.
        address: they appear on the victim's address; "before", in the days before the victim first does.
        contact: they sign up with the victim's e-mail and phone hashes.
        template: they send the victim's prompt template.
        amount: sent to the victim by each.
        referred: they name the victim as their referrer.
        disputes: each brings a chargeback upon itself, and is labelled fake for it; "victim's", on the victim's card.
        reported: a partner reports the victim.
    """

    name: str
    about: str
    n_attackers: int
    device: bool = False
    card: Literal["", "failed", "succeeded"] = ""
    address: Literal["", "after", "before"] = ""
    contact: bool = False
    template: bool = False
    amount: float = 0.0
    referred: bool = False
    disputes: Literal["", "own", "victim's"] = ""
    reported: bool = False

    @property
    def n_kinds(self) -> int:
        """Kinds of the victim's identifiers that it takes."""
        return sum(map(bool, (self.device, self.card, self.address, self.contact, self.template)))


STYLES = (
    Style("device once", "one known fake shows the device once", 1, device=True, disputes="own"),
    Style("device", "eight show the device", 8, device=True),
    Style("card tried", "eight try the card, each payment fails", 8, card="failed"),
    Style("card stolen", "four pay with the card", 4, card="succeeded"),
    Style("card disputed", "four pay with the card, each is charged back", 4, card="succeeded", disputes="victim's"),
    Style("card, device", "eight try the card and show the device", 8, card="failed", device=True),
    Style(
        "card, device, address", "the same, on the address", 8, card="failed", device=True, address="after"
    ),
    Style("money", "eight send 5 units", 8, amount=5.0),
    Style("address", "twenty appear on the address", 20, address="after"),
    Style("address before", "eight use an address before its owner does", 8, address="before"),
    Style(
        "referral, money", "four known fakes are referred and send 1 unit", 4,
        referred=True, amount=1.0, disputes="own",
    ),
    Style("template, address", "four copy the template, on the address", 4, template=True, address="after"),
    Style("contact", "four known fakes sign up with e-mail and phone", 4, contact=True, disputes="own"),
    Style(
        "contact, referral, money", "eight of them are referred and send money too", 8,
        contact=True, referred=True, amount=1.0, disputes="own",
    ),
    Style("card, contact", "four try the card and give e-mail and phone", 4, card="failed", contact=True),
    Style("partner", "a partner reports the victim", 0, reported=True),
    Style(
        "twelve, three kinds", "twelve known fakes pay with the card, show the device, give e-mail and phone", 12,
        card="succeeded", device=True, contact=True, disputes="own",
    ),
)  # fmt: skip
