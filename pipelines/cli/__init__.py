"""The command line `ringwatch`. Each module here holds the commands of one subject and calls plain functions."""

from pipelines.cli import ban_list, evaluation, inspect, model, nights, review, servers, worlds  # noqa: F401  # each adds its commands
from pipelines.cli.app import app, main

__all__ = ["app", "main"]
