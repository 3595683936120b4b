"""What a world's nights came to: what was caught of each campaign, what leaked before, who was accused wrongly."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from ringwatch.pipelines.ban_list.published import published_nights, read_published
from ringwatch.pipelines.ban_list.rules.entries import BAN
from ringwatch.pipelines.common.errors import RingwatchError
from ringwatch.pipelines.common.settings import Settings
from ringwatch.pipelines.common.sql import open_connection
from ringwatch.pipelines.runs.store import run_nights
from ringwatch.pipelines.simulate.population.world import read_world

_FIRST_LISTED = pa.schema([("account_id", pa.string()), ("listed_on", pa.date32()), ("is_listed", pa.bool_())])

_N_SUSPICIOUS = "coalesce(sum((fraud_label = 'suspicious')::INT), 0)::BIGINT AS n_suspicious"
_N_BANNED = "coalesce(sum(is_listed::INT), 0)::BIGINT AS n_banned"
_CAMPAIGNS = f"""
SELECT campaign, kind, count(*) AS n_active, {_N_SUSPICIOUS}, {_N_BANNED}, min(listed_on)::VARCHAR AS first_banned,
    coalesce(sum(n_before), 0)::BIGINT AS n_before, coalesce(sum(n_since), 0)::BIGINT AS n_since
FROM truth LEFT JOIN scores USING (account_id) LEFT JOIN listed USING (account_id) LEFT JOIN asked USING (account_id)
WHERE is_fake AND first_active_at < DATE '{{night}}' + INTERVAL 1 DAY
GROUP BY campaign, kind ORDER BY n_active DESC, campaign
"""
# A list holds from the day after its night: until then all that a campaign asked for has leaked.
_ASKED = """
SELECT account_id, sum(n_requests) FILTER (first_banned IS NULL OR date <= first_banned) AS n_before,
    sum(n_requests) FILTER (date > first_banned) AS n_since
FROM usage JOIN truth USING (account_id)
LEFT JOIN (SELECT campaign, min(listed_on) AS first_banned FROM truth JOIN listed USING (account_id) GROUP BY campaign)
USING (campaign)
WHERE is_fake AND date <= DATE '{night}' AND hour_start_at >= time_bucket(INTERVAL 1 HOUR, first_active_at)
GROUP BY account_id
"""
_WRONGED = f"""
SELECT kind, count(*) AS n_accounts, {_N_SUSPICIOUS}, {_N_BANNED}
FROM truth JOIN scores USING (account_id) LEFT JOIN listed USING (account_id) WHERE NOT is_fake
GROUP BY kind ORDER BY n_banned DESC, n_suspicious DESC, kind
"""


@dataclass(frozen=True)
class CampaignOutcome:
    """One campaign by a night; its accounts are those active as fakes by then, requests those they sent as such.

    `n_before` is what had leaked until the first of its accounts was on a list, `n_since` what it got from then on.
    """

    campaign: str
    kind: str
    n_active: int
    n_suspicious: int
    n_banned: int
    first_banned: str | None
    n_before: int
    n_since: int


@dataclass(frozen=True)
class KindOutcome:
    """Ordinary accounts of one kind: how many there are, and how many are accused."""

    kind: str
    n_accounts: int
    n_suspicious: int
    n_banned: int


@dataclass(frozen=True)
class Outcome:
    """What the nights up to one came to."""

    night: str
    campaigns: list[CampaignOutcome]
    ordinary: list[KindOutcome]


def outcome_of(settings: Settings, world: Path) -> Outcome:
    """The outcome by the newest night detected, against a world's truth.

    Raises:
        RingwatchError: there is no world, no night was detected, or the nights were another world's.
    """
    read_world(world)
    nights = run_nights(settings)
    if not nights:
        raise RingwatchError("no night has been detected: run `ringwatch nightly` on the world's landing zone first.")
    night = nights[-1]
    scores = pq.read_table(settings.exports_dir / "scores" / f"date={night}" / "scores.parquet", partitioning=None)
    with open_connection() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.register("scores", scores)
        connection.register("listed", _listed(settings, night))
        connection.register("truth", pq.read_table(world / "truth.parquet"))
        files = str(world / "landing" / "usage_events" / "*" / "*.parquet").replace("'", "''")
        connection.execute(f"CREATE VIEW usage AS FROM read_parquet('{files}', hive_partitioning = true)")
        strangers = connection.sql("SELECT account_id FROM scores ANTI JOIN truth USING (account_id)").fetchall()
        if strangers:
            raise RingwatchError(f"{len(strangers)} of the accounts detected are not of {world}: give their own world.")
        connection.execute(f"CREATE VIEW asked AS {_ASKED.format(night=night)}")
        campaigns = connection.sql(_CAMPAIGNS.format(night=night)).fetchall()
        ordinary = connection.sql(_WRONGED).fetchall()
    return Outcome(str(night), [CampaignOutcome(*row) for row in campaigns], [KindOutcome(*row) for row in ordinary])


def _listed(settings: Settings, night: date) -> pa.Table:
    """Accounts that were ever banned by the night: since when, and whether the newest list still has them."""
    first: dict[str, date] = {}
    now: set[str] = set()
    for each in published_nights(settings):
        published = read_published(settings, each)
        if published is None or each > night:
            continue
        now = {entry.account_id for entry in published.entries() if entry.action == BAN}
        for account in now:
            first.setdefault(account, each)
    rows = [{"account_id": account, "listed_on": day, "is_listed": account in now} for account, day in first.items()]
    return pa.Table.from_pylist(rows, schema=_FIRST_LISTED)
