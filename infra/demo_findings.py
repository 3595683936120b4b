"""What the demo says at its end."""

from datetime import date
from pathlib import Path

from ringwatch.infra.airflow import server as airflow_server
from ringwatch.infra.neo4j import server as neo4j_server
from ringwatch.pipelines.ban_list.published import read_published
from ringwatch.pipelines.cli.app import out
from ringwatch.pipelines.cli.worlds import outcome_tables
from ringwatch.pipelines.common.settings import Settings
from ringwatch.pipelines.evaluation.outcome import outcome_of
from ringwatch.pipelines.runs.store import read_run, read_run_table


def print_findings(settings: Settings, world: Path, night: date) -> None:
    """What a night found and what all nights came to, where the files are, and how to look at the graph."""
    run_ = read_run(settings, night)
    n = run_.counts
    print(f"""
Night of {night}, model {run_.model_version}:
  {n["n_accounts"]:,} accounts, {n["n_suspicious"]:,} suspicious, {n["n_watch"]:,} to watch
  {n["n_rings"]:,} rings, {n["n_suspicious_rings"]:,} of them suspicious
  {n["n_lawful_groups"]:,} groups that looked like rings cleared as lawful""")
    rings = read_run_table(settings, night, "rings").sort_by([("fraud_score", "descending"), ("ring_id", "ascending")])
    for ring in rings.slice(0, 3).to_pylist():
        print(f"    {ring['ring_id']}: {ring['n_accounts']} accounts, score {ring['fraud_score']:.2f};"
              f" {'; '.join(ring['reasons'][:2])}")  # fmt: skip
    published = read_published(settings, night)
    if published is None:
        print("  no ban list is out")
    else:
        changes = published.manifest["counts"]["delta"]
        print(f"  the ban list holds {len(published.entries())} accounts: {changes['ban']} new or renewed,"
              f" {changes['lift']} lifted, approved by {published.manifest['approved_by']}")  # fmt: skip
    print("\nAgainst the truth, which only a simulated world has:")
    for table in outcome_tables(outcome_of(settings, world)):
        out.print(table, soft_wrap=True)
    neo4j, airflow = neo4j_server.status(settings), airflow_server.status(settings)
    print(f"""
Ban lists      {settings.exports_dir / "ban_lists"}
Scores, rings  {settings.exports_dir / "scores" / f"date={night}"}
The world      {world}
Neo4j Browser  {neo4j.browser_url}   user {neo4j.user}, password in {neo4j.password_file}
Airflow        {airflow.url}   user {airflow.user}, password in {airflow.password_file}
Signing key    {settings.home_dir / "demo" / "env"}
Both stay up until: infra/demo --stop""")
