"""The command line `ringwatch`. Each module here holds the commands of one subject and calls plain functions."""

from ringwatch.pipelines.cli import (  # noqa: F401  # each adds its commands
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
from ringwatch.pipelines.cli.ban_list import account, lists, policy  # noqa: F401

__all__ = ["app", "main"]
