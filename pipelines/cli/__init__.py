"""The command line `ringwatch`. Each module here holds the commands of one subject and calls plain functions.

Exit codes: 0 done, 1 an unforeseen fault, 2 something to mend, 3 nothing to load, 4 quarantine limit,
5 another writer, 6 Neo4j unreachable, 7 ban list not approved.
"""

from pipelines.cli.app import app, main
from pipelines.cli import ban_list, inspect, model, nights, servers  # noqa: F401  # each adds its commands

__all__ = ["app", "main"]
