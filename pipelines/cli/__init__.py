"""The command line `ringwatch`. Each module here holds the commands of one subject and calls plain functions."""

from ringwatch.pipelines.cli import (  # noqa: F401  # each adds its commands
    ban_list,
    ban_list_account,
    ban_list_policy,
    evaluation,
    guide,
    indicators,
    inspect,
    model,
    nights,
    pipeline_benchmark,
    review,
    servers,
    worlds,
)
from ringwatch.pipelines.cli.app import app, main

__all__ = ["app", "main"]
