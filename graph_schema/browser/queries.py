"""The guide's queries: each starts at an index, and at every step takes no more than a number of rows.

`night` asks about the newest night, `ring` about the ring in `$ring`, `account` about the account in `$account`.
"""

from dataclasses import dataclass

from ringwatch.graph_schema.graph import HUB_ACCOUNTS, IDENTIFIER_RELATIONSHIPS

_TYPES = "|".join(relationship.type for relationship in IDENTIFIER_RELATIONSHIPS)
_DATED = "|".join(relationship.type for relationship in IDENTIFIER_RELATIONSHIPS if relationship.is_dated)
# For pictures, in which addresses would hide the rest.
_STRONG = "|".join(r.type for r in IDENTIFIER_RELATIONSHIPS if r.end.evidence and r.end.evidence.strength == 1)
_MEMBERS, _IDENTIFIERS, _TO_OTHERS = 100, 100, 1_000  # members of a ring, identifiers of each, and of all together


@dataclass(frozen=True)
class GuideQuery:
    """One query to click.

    Attributes:
        name: short, for reports and tests.
        title: as the guide shows it.
        says: what to see in the answer.
        cypher: the query; its parameters are of its section.
    """

    name: str
    title: str
    says: str
    cypher: str


def _key(node: str) -> str:
    """The key of an identifier, whatever its kind."""
    return f"coalesce({', '.join(dict.fromkeys(f'{node}.{r.end.key}' for r in IDENTIFIER_RELATIONSHIPS))})"


def _kind(node: str) -> str:
    return f"head(labels({node}))"


def _n_accounts(identifier: str) -> str:
    return f"COUNT {{ ({identifier})<--() }}"


_OF_RING = f"MATCH (g:Ring {{ring_id: $ring}})<-[:MEMBER_OF_RING]-(a:Account) WITH g, a LIMIT {_MEMBERS}"
# Identifiers that members share with accounts beyond the ring, hubs left out.
_BEYOND_RING = f"""\
{_OF_RING}
CALL (a) {{ MATCH (a)-[:{_TYPES}]->(i) WITH i LIMIT {_IDENTIFIERS}
  WHERE 2 <= {_n_accounts("i")} <= {HUB_ACCOUNTS} RETURN i }}
WITH DISTINCT g, i LIMIT {_TO_OTHERS}
MATCH (i)<-[:{_TYPES}]-(other:Account) WHERE NOT EXISTS {{ (other)-[:MEMBER_OF_RING]->(g) }}"""
_BESIDE_ACCOUNT = f"""\
MATCH (x:Account {{account_id: $account}})-[:{_TYPES}]->(i) WITH x, i LIMIT {_TO_OTHERS}
WHERE 2 <= {_n_accounts("i")} <= {HUB_ACCOUNTS}
MATCH (i)<-[:{_TYPES}]-(other:Account) WHERE other <> x"""

NIGHT = (
    GuideQuery(
        "nights",
        "The last fourteen nights",
        "Accounts scored, suspicious and watched ones, rings, and the model. The report says more about a jump.",
        """\
MATCH (r:DetectionRun) WHERE r.date IS NOT NULL
RETURN r.date AS night, r.n_accounts AS accounts, r.n_suspicious AS suspicious, r.n_watch AS watched,
  r.n_rings AS rings, r.n_suspicious_rings AS suspicious_rings, r.n_lawful_groups AS lawful_groups,
  r.model_version AS model
ORDER BY night DESC LIMIT 14""",
    ),
    GuideQuery(
        "queue",
        "What to look at first",
        "By the number of accounts whose treatment an answer is expected to change. What was decided since the night is"
        " left out.",
        """\
MATCH (q:ReviewQuestion) WHERE q.rank >= 0 WITH q ORDER BY q.rank LIMIT 300
MATCH (q)-[:ABOUT]->(n) WHERE coalesce(toString(n.reviewed_at), '') = q.reviewed_before
RETURN q.rank AS rank, q.kind AS kind, q.id AS about, q.n_open AS undecided, round(q.worth, 1) AS worth, q.why AS why,
  n.fraud_reasons[0] AS strongest_reason, q.asked_since AS since
ORDER BY rank LIMIT 30""",
    ),
    GuideQuery(
        "picture",
        "The surest rings, as a picture",
        "Red: suspicious. Amber: watched. A dark rim: a person decided. With the cards and devices that members share.",
        f"""\
MATCH (g:Ring) WHERE g.fraud_score >= 0 WITH g ORDER BY g.fraud_score DESC LIMIT 5
CALL (g) {{ MATCH (g)<-[m:MEMBER_OF_RING]-(a:Account) RETURN m, a LIMIT 15 }}
OPTIONAL CALL (a) {{ MATCH (a)-[u:{_STRONG}]->(i) WITH u, i LIMIT {_IDENTIFIERS}
  WHERE {_n_accounts("i")} > 1 RETURN u, i LIMIT 4 }}
RETURN g, m, a, u, i LIMIT 300""",
    ),
    GuideQuery(
        "grown",
        "Rings that are new or have grown",
        "With how many joined since the night before.",
        """\
MATCH (g:Ring) WHERE g.n_new_accounts > 0
RETURN g.ring_id AS ring, g.n_accounts AS accounts, g.n_new_accounts AS new_accounts,
  round(g.fraud_score, 3) AS score, g.fraud_label AS label, g.review_decision AS decision
ORDER BY new_accounts DESC LIMIT 30""",
    ),
    GuideQuery(
        "decisions",
        "What people decided last",
        "The newest decision of each account and ring that stands in the graph.",
        """\
CALL () {
  MATCH (n:Account) WHERE n.reviewed_at IS NOT NULL WITH n ORDER BY n.reviewed_at DESC LIMIT 30
  RETURN n, 'account' AS kind, n.account_id AS about
  UNION ALL
  MATCH (n:Ring) WHERE n.reviewed_at IS NOT NULL WITH n ORDER BY n.reviewed_at DESC LIMIT 30
  RETURN n, 'ring' AS kind, n.ring_id AS about
}
RETURN n.reviewed_at AS at, n.reviewed_by AS by, kind, about, n.review_decision AS decision, n.review_reason AS reason
ORDER BY at DESC LIMIT 30""",
    ),
)

RING = (
    GuideQuery(
        "ring_picture",
        "The ring, as a picture",
        "Its surest members, and what they share with another account, hubs left out.",
        f"""\
MATCH (g:Ring {{ring_id: $ring}})<-[m:MEMBER_OF_RING]-(a:Account) WITH g, m, a ORDER BY a.fraud_score DESC LIMIT 40
OPTIONAL CALL (a) {{ MATCH (a)-[u:{_TYPES}]->(i) WITH u, i LIMIT {_IDENTIFIERS}
  WHERE 2 <= {_n_accounts("i")} <= {HUB_ACCOUNTS} RETURN u, i ORDER BY type(u) DESC LIMIT 5 }}
RETURN g, m, a, u, i LIMIT 300""",
    ),
    GuideQuery(
        "ring_reasons",
        "Why it is a ring",
        "The strongest reason first.",
        """\
MATCH (g:Ring {ring_id: $ring})
UNWIND g.fraud_reasons AS reason
RETURN reason, g.fraud_label AS label, round(g.fraud_score, 3) AS score, g.n_accounts AS accounts LIMIT 20""",
    ),
    GuideQuery(
        "ring_members",
        "Its members",
        "The surest first. A decision here is a person's, on the account itself.",
        """\
MATCH (g:Ring {ring_id: $ring})<-[m:MEMBER_OF_RING]-(a:Account)
WITH m, a ORDER BY a.fraud_score DESC, a.account_id LIMIT 100
RETURN a.account_id AS account, round(a.fraud_score, 3) AS score, a.fraud_label AS label,
  round(m.membership, 2) AS membership, a.review_decision AS decision, a.created_at AS created, a.plan AS plan,
  a.country AS country, a.status AS status, a.fraud_reasons[0] AS strongest_reason LIMIT 100""",
    ),
    GuideQuery(
        "ring_shared",
        "What its members share: rare or a hub",
        f"Members of the ring beside all accounts on it. On more than {HUB_ACCOUNTS} it is a hub, such as a carrier's"
        " address or a free-mail domain, and says nothing of anybody.",
        f"""\
{_OF_RING}
CALL (a) {{ MATCH (a)-[:{_TYPES}]->(i) RETURN i LIMIT {_IDENTIFIERS} }}
WITH i, count(*) AS members WHERE members > 1 WITH i, members, {_n_accounts("i")} AS accounts
RETURN {_kind("i")} AS kind, {_key("i")} AS identifier, members, accounts,
  CASE WHEN accounts > {HUB_ACCOUNTS} THEN 'hub' ELSE 'rare' END AS rarity
ORDER BY rarity DESC, members DESC, accounts LIMIT 50""",
    ),
    GuideQuery(
        "ring_growth",
        "How it grew, night by night",
        "Members in each night that knew it, of the last thirty.",
        """\
MATCH (g:Ring {ring_id: $ring})
UNWIND range(0, size(g.history_nights) - 1) AS i
RETURN g.history_nights[i] AS night, g.history_n_accounts[i] AS accounts,
  g.history_n_accounts[i] - CASE i WHEN 0 THEN 0 ELSE g.history_n_accounts[i - 1] END AS more
ORDER BY night LIMIT 30""",
    ),
    GuideQuery(
        "ring_alike",
        "Look-alike rings",
        "Other rings whose members use identifiers of this one's. Two parts of one campaign look like this.",
        f"""\
{_BEYOND_RING}
MATCH (other)-[:MEMBER_OF_RING]->(h:Ring)
RETURN h.ring_id AS ring, count(DISTINCT i) AS shared_identifiers, collect(DISTINCT {_kind("i")}) AS kinds,
  count(DISTINCT other) AS accounts_on_them, h.n_accounts AS accounts, round(h.fraud_score, 3) AS score,
  h.fraud_label AS label, h.review_decision AS decision
ORDER BY shared_identifiers DESC LIMIT 20""",
    ),
    GuideQuery(
        "ring_if_banned",
        "Who would be accused if we ban this: its members",
        "By plan and by what is known of them. Who pays, is old or was cleared before deserves a second look.",
        """\
MATCH (g:Ring {ring_id: $ring})<-[:MEMBER_OF_RING]-(a:Account) WITH a LIMIT 5000
RETURN a.plan AS plan, a.status AS status, a.fraud_label AS label, coalesce(a.review_decision, 'undecided') AS decision,
  count(*) AS accounts, min(a.created_at) AS oldest, sum(a.n_requests) AS requests
ORDER BY accounts DESC LIMIT 50""",
    ),
    GuideQuery(
        "ring_beside",
        "Who stands beside it",
        "Accounts outside the ring on its members' rare identifiers: whom the next night may suspect for it.",
        f"""\
{_BEYOND_RING}
RETURN other.account_id AS account, count(DISTINCT i) AS shared_identifiers, collect(DISTINCT {_kind("i")}) AS kinds,
  round(other.fraud_score, 3) AS score, other.fraud_label AS label, other.review_decision AS decision,
  other.plan AS plan
ORDER BY shared_identifiers DESC, account LIMIT 50""",
    ),
)

ACCOUNT = (
    GuideQuery(
        "account_picture",
        "Its neighbourhood, as a picture",
        "What it uses, hubs left out, and who else uses that.",
        f"""\
MATCH (x:Account {{account_id: $account}})
OPTIONAL MATCH (x)-[m:MEMBER_OF_RING]->(g:Ring)
OPTIONAL CALL (x) {{ MATCH (x)-[u:{_TYPES}]->(i) WITH u, i LIMIT {_TO_OTHERS}
  WHERE {_n_accounts("i")} <= {HUB_ACCOUNTS} RETURN u, i ORDER BY {_n_accounts("i")} DESC LIMIT 25 }}
OPTIONAL CALL (i) {{ MATCH (i)<-[v:{_TYPES}]-(other:Account) RETURN v, other LIMIT 8 }}
RETURN x, m, g, u, i, v, other LIMIT 300""",
    ),
    GuideQuery(
        "account_evidence",
        "Its evidence",
        "What it shares, the rarest first, and how many of the accounts on it are suspicious. Its reasons are in the"
        " first column.",
        f"""\
MATCH (x:Account {{account_id: $account}})-[:{_TYPES}]->(i) WITH x, i LIMIT {_TO_OTHERS}
WHERE 2 <= {_n_accounts("i")} <= {HUB_ACCOUNTS} WITH x, i, {_n_accounts("i")} AS accounts ORDER BY accounts LIMIT 30
RETURN x.fraud_reasons AS reasons, {_kind("i")} AS kind, {_key("i")} AS identifier, accounts,
  COUNT {{ (i)<--(:Suspicious) }} AS suspicious_on_it
ORDER BY accounts LIMIT 30""",
    ),
    GuideQuery(
        "account_history",
        "Its history",
        "When it signed up, what it first used when, and what was decided.",
        f"""\
MATCH (x:Account {{account_id: $account}})
CALL (x) {{
  RETURN x.created_at AS at, 'signed up' AS what, '' AS with
  UNION ALL
  MATCH (x)-[u:{_DATED}]->(i) WITH u, i ORDER BY u.first_seen_at DESC LIMIT 200
  RETURN u.first_seen_at AS at, 'first ' + type(u) AS what, {_key("i")} AS with
  UNION ALL
  WITH x WHERE x.reviewed_at IS NOT NULL
  RETURN x.reviewed_at AS at, 'found ' + x.review_decision AS what, coalesce(x.reviewed_by, '') AS with
}}
RETURN at, what, with ORDER BY at LIMIT 200""",
    ),
    GuideQuery(
        "account_three",
        "Who shares three or more identifiers with it",
        f"Identifiers on more than {HUB_ACCOUNTS} accounts do not count.",
        f"""\
{_BESIDE_ACCOUNT}
WITH other, count(DISTINCT i) AS shared, collect(DISTINCT {_kind("i")}) AS kinds WHERE shared >= 3
RETURN other.account_id AS account, shared, kinds, round(other.fraud_score, 3) AS score, other.fraud_label AS label,
  other.fraud_ring_id AS ring, other.review_decision AS decision
ORDER BY shared DESC, account LIMIT 50""",
    ),
    GuideQuery(
        "account_if_banned",
        "Who would be accused if we ban this",
        "Accounts on its rare identifiers, by what is known of them: the next night may suspect them for it.",
        f"""\
{_BESIDE_ACCOUNT}
WITH DISTINCT other
RETURN other.fraud_label AS label, coalesce(other.review_decision, 'undecided') AS decision, other.plan AS plan,
  other.status AS status, count(*) AS accounts, min(other.created_at) AS oldest, sum(other.n_requests) AS requests
ORDER BY accounts DESC LIMIT 50""",
    ),
)

QUERIES = (*NIGHT, *RING, *ACCOUNT)
