"""What partners write of an identifier: read canonically, or not at all; and what we write is read as it was meant."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringwatch.pipelines.indicators.kinds import CARD, DOMAIN, TEMPLATE
from ringwatch.pipelines.indicators.pattern import Named, UnsupportedError, read_pattern, write_pattern

VALUES = st.one_of(
    st.text(st.characters(codec="utf-8"), min_size=1, max_size=128).map(lambda text: Named(TEMPLATE.label, text)),
    st.binary(min_size=32, max_size=32).map(lambda digest: Named(CARD.label, digest.hex())),
    st.from_regex(r"[a-z]{1,20}\.example", fullmatch=True).map(lambda text: Named(DOMAIN.label, text)),
    st.ip_addresses(v=4, network="185.0.0.0/8").map(lambda ip: Named("IpAddress", str(ip))),
    st.ip_addresses(v=6, network="2a00::/16").map(lambda ip: Named("IpAddress", str(ip))),
    st.ip_addresses(v=4, network="185.0.0.0/8").map(
        lambda ip: Named("Subnet", str(ipaddress.ip_network(f"{ip}/24", strict=False)))
    ),
    st.ip_addresses(v=6, network="2a00::/16").map(
        lambda ip: Named("Subnet", str(ipaddress.ip_network(f"{ip}/48", strict=False)))
    ),
)


@given(VALUES)
def test_what_we_write_is_read_as_it_was_meant(named):
    assert read_pattern(write_pattern(named)) == (named,)


@pytest.mark.parametrize(
    ("pattern", "values"),
    [
        ("[ipv4-addr:value IN ('185.3.2.1', '185.3.2.1', '185.3.2.2')]", {"185.3.2.1", "185.3.2.2"}),
        ("[ipv4-addr:value = '185.3.2.9/20' OR domain-name:value = 'BULK.example.']", {"185.3.0.0/20", "bulk.example"}),
        ("[ipv6-addr:value = '2A00:0::1']", {"2a00::1"}),
        ("[ipv4-addr:value ISSUBSET '185.3.2.1/32']", {"185.3.2.1"}),
    ],
)
def test_what_partners_write_is_read_canonically(pattern, values):
    assert {value for _, value in read_pattern(pattern)} == values


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("[ipv4-addr:value NOT IN ('185.3.2.1')]", "a negated comparison"),
        ("[ipv4-addr:value NOT ISSUBSET '185.3.2.0/24']", "a negated comparison"),
        ("[ipv4-addr:value != '185.3.2.1']", "a negated comparison"),
        ("[ipv4-addr:value LIKE '185.%']", "a comparison other than"),
        ("[ipv4-addr:value = '185.3.2.1' AND domain-name:value = 'a.example']", "joined by AND"),
        ("[ipv4-addr:value = '185.3.2.1'] FOLLOWEDBY [ipv4-addr:value = '185.3.2.2']", "more than one observation"),
        ("[ipv4-addr:value = '185.3.2.1'] REPEATS 5 TIMES", "a qualifier"),
        ("[ipv4-addr:value = '185.3.2.1' OR url:value = 'x']", "url:value is not matched here"),
        ("[ipv4-addr:value ISSUBSET '185.0.0.0/8']", "too broad: IPv4 wants /20 or longer"),
        ("[ipv6-addr:value ISSUBSET '2a00::/20']", "too broad: IPv6 wants /32 or longer"),
        ("[ipv4-addr:value = '10.0.0.1']", "no public address"),
        ("[ipv4-addr:value = '2a00::1']", "no address of the kind"),
        ("[domain-name:value = 'gmail.com']", "a public mail domain"),
        ("[x-payment-instrument:fingerprint_hmac = 'card-1']", "no HMAC-SHA256"),
        ("[x-prompt-template:fingerprint = 7]", "a value that is no text"),
    ],
)
def test_a_pattern_that_says_more_than_can_be_matched_is_unsupported_whole(pattern, reason):
    with pytest.raises(UnsupportedError, match=reason):
        read_pattern(pattern)
