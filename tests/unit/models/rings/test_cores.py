import numpy as np
import pytest

from ringwatch.models.data.links import Links
from ringwatch.models.rings.cores import core_sizes

pytestmark = pytest.mark.unit


def _links(pairs, *, n_accounts=8, probability=0.9, n_beyond_network=1):
    """Links in one direction each: (receiver, sender)."""
    receiver, sender = (np.array(ends, dtype=np.int64) for ends in zip(*pairs, strict=True))
    size = receiver.size
    return Links(receiver, sender, np.full(size, probability), n_accounts, np.full(size, n_beyond_network))


def _sizes(links, is_suspicious, created_at=None):
    return core_sizes(links, is_suspicious, _SIGNED_UP if created_at is None else created_at)


def _both(*pairs):
    return [*pairs, *((other, one) for one, other in pairs)]


CORE = _both((0, 1), (1, 2), (2, 3), (3, 0))
EVERYBODY = np.ones(8, dtype=bool)
_SIGNED_UP = np.full(8, np.datetime64("2026-03-01", "us"))


def test_accounts_that_hang_together_are_one_core():
    assert _sizes(_links(CORE), EVERYBODY).tolist() == [4, 4, 4, 4, 0, 0, 0, 0]


def test_an_account_that_hears_one_of_a_core_is_not_of_it():
    assert _sizes(_links([*CORE, (4, 0)]), EVERYBODY).tolist() == [4, 4, 4, 4, 0, 0, 0, 0]


def test_an_account_that_hears_nobody_is_in_no_core_and_counts_for_none():
    """What others do to it, here to account 4, draws it into nothing."""
    links = _links([*CORE, (0, 4), (1, 4)])
    assert _sizes(links, EVERYBODY).tolist() == [4, 4, 4, 4, 0, 0, 0, 0]


def test_only_suspicious_accounts_hold_a_core_together():
    is_suspicious = EVERYBODY.copy()
    is_suspicious[1] = False
    assert _sizes(_links(CORE), is_suspicious).tolist() == [0, 0, 0, 1, 0, 0, 0, 0]


@pytest.mark.parametrize("weak", [{"probability": 0.5}, {"n_beyond_network": 0}])
def test_links_that_are_not_likely_or_share_a_network_alone_hold_nothing(weak):
    assert _sizes(_links(CORE, **weak), EVERYBODY).sum() == 0


def test_accounts_that_signed_up_later_draw_nobody_into_a_core():
    """Account 0 hears all of the others, as it does in its first days; each of them hears it and another."""
    created_at = _SIGNED_UP.copy()
    created_at[1:] += np.timedelta64(3, "D")
    assert _sizes(_links(CORE), EVERYBODY, created_at).tolist() == [0, 3, 3, 3, 0, 0, 0, 0]


def test_where_kinds_are_not_known_every_likely_link_counts():
    links = _links(CORE)
    of_others = Links(links.receiver, links.sender, links.probability, links.n_accounts)
    assert _sizes(of_others, EVERYBODY).max() == 4


def test_without_links_there_is_no_core():
    none = np.empty(0, dtype=np.int64)
    assert _sizes(Links(none, none, np.empty(0), 8, none), EVERYBODY).tolist() == [0] * 8
