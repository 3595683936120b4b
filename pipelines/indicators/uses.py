"""Who uses what partners exchange, in a night's snapshot: the ground of what goes out and of what is matched."""

from ringwatch.models.data.snapshot import Snapshot
from ringwatch.pipelines.common.sql import Connection, open_connection
from ringwatch.pipelines.indicators.kinds import ADDRESS, KINDS, RENTED, SUBNET

_USES = """
CREATE TABLE uses AS
SELECT label, id, account_id, min(first_seen_at) AS first_seen_at, max(last_seen_at) AS last_seen_at
FROM ({rows}) GROUP BY ALL
"""
# A subnet is rented out if all of its addresses are whose network is known.
_NETWORKS = f"""
CREATE TABLE networks AS
SELECT '{ADDRESS.label}' AS label, id, network_type IN {RENTED} AS is_rented, network_type, asn FROM IpAddress
UNION ALL
SELECT '{SUBNET.label}', s.end_id, bool_and(network_type IN {RENTED}), min(network_type), min(asn)
FROM IN_SUBNET s JOIN IpAddress a ON a.id = s.start_id GROUP BY s.end_id
"""


def connect_uses(snapshot: Snapshot) -> Connection:
    """A DuckDB connection over a snapshot.

    It has `uses`, one row for each account and identifier of an exchanged kind: label, id, account_id, first_seen_at,
    last_seen_at; and `networks`, of addresses and subnets: label, id, is_rented, network_type, asn.
    """
    connection = open_connection(threads=2)
    connection.execute("SET TimeZone = 'UTC'; SET enable_progress_bar = false")
    for name, table in (*snapshot.nodes.items(), *snapshot.relationships.items()):
        connection.register(name, table)
    rows = " UNION ALL ".join(f"SELECT '{kind.label}' AS label, * FROM ({kind.uses})" for kind in KINDS)
    connection.execute(_USES.format(rows=rows))
    connection.execute(_NETWORKS)
    return connection
