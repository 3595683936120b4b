"""The query by which a person decides, for the command and for the guide: all of it is written, or none and why."""

from ringwatch.graph_schema.browser.marks import DECIDED, DECISIONS, VERDICTS

_KEYS = {"Account": "account_id", "Ring": "ring_id"}
_AGAINST_MEMBERS = """\
OPTIONAL MATCH (n)<-[:MEMBER_OF_RING]-(a:Account)
WHERE $decision IN {verdicts} AND a.review_decision IN {verdicts} AND a.review_decision <> $decision
WITH n, a ORDER BY a.account_id
WITH n, collect(coalesce(a.reviewed_by, 'somebody') + ' found ' + a.account_id + ' ' + a.review_decision) AS against
"""
_NOBODY = """
  WHEN NOT EXISTS { (n)<-[:MEMBER_OF_RING]-() } THEN 'the ring has no members any more.'"""
_DECIDE = """\
MATCH (n:{label} {{{key}: ${parameter}}})
{against_members}WITH n, CASE WHEN n.reviewed_by <> $by AND n.review_decision <> $decision
  THEN [n.reviewed_by + ' found ' + n.{key} + ' ' + n.review_decision] ELSE [] END + {members} AS against
WITH n, CASE{nobody}
  WHEN NOT $decision IN {decisions} THEN '"' + $decision + '" is no decision: give one of {named}.'
  WHEN trim($reason) = '' OR trim($by) = '' THEN 'give a reason and who decides: whoever is banned may ask for both.'
  WHEN size(against) > 0 AND NOT {overrule} THEN 'it contradicts: ' + substring(reduce(
    told = '', each IN against[..5] | told + '; ' + each), 2)
    + CASE WHEN size(against) > 5 THEN ' and ' + (size(against) - 5) + ' more' ELSE '' END
    + '. Talk to them, decide on accounts one by one, or overrule.'
  END AS refused
FOREACH (_ IN CASE WHEN refused IS NULL THEN [1] ELSE [] END |
  SET n.review_decision = $decision, n.review_reason = trim($reason), n.reviewed_by = trim($by),
    n.reviewed_at = datetime(), n.review_overrules = CASE WHEN {overrule} THEN true END
  REMOVE n{marks}
{marked})
RETURN n.{key} AS about, coalesce('nothing was decided, for ' + refused, $decision + ' is decided by ' + trim($by)
  + ': it counts from the next night on') AS outcome, refused IS NULL AS is_decided, toString(n.reviewed_at) AS at,
  COUNT {{ (n)<-[:MEMBER_OF_RING]-() }} AS n_members
"""


def decision_query(label: str, *, overrule: str = "$overrule") -> str:
    """The query that decides on an account or a ring.

    Its parameters: ring or account, decision, reason, by, and overrule unless it is given as a literal. It returns no
    row where there is no such node, else `about, outcome, is_decided, at, n_members`.
    """
    marked = "\n".join(
        f"  FOREACH (_ IN CASE $decision WHEN '{mark.value}' THEN [1] ELSE [] END | SET n:{mark.label})"
        for mark in DECIDED
    )
    is_ring = label == "Ring"
    return _DECIDE.format(
        label=label,
        key=_KEYS[label],
        parameter=label.lower(),
        against_members=_AGAINST_MEMBERS.format(verdicts=list(VERDICTS)) if is_ring else "",
        nobody=_NOBODY if is_ring else "",
        members="against" if is_ring else "[]",
        decisions=list(DECISIONS),
        named=", ".join(DECISIONS),
        overrule=overrule,
        marks="".join(f":{mark.label}" for mark in DECIDED),
        marked=marked,
    )
