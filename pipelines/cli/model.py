"""Commands for the trained models: list, rollback, pretrain, leave-out."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from ringwatch.pipelines.cli.app import Json, app, progress, show
from ringwatch.pipelines.cli.tables import Table, number
from ringwatch.pipelines.common.locks import writer_lock
from ringwatch.pipelines.common.settings import read_settings

model_app = typer.Typer(no_args_is_help=True, help="The trained models and which of them is champion.")
app.add_typer(model_app, name="model")


@model_app.command("list")
def list_models(as_json: Json = False) -> None:
    """List the models, oldest first, and say which is champion."""
    from ringwatch.models.registry.catalog import Catalog

    models = [asdict(entry) for entry in Catalog(read_settings().models_dir).list_models()]

    def lines(_: object) -> Table:
        table = Table("version", "night", "champion", number("held-out\nAP"), number("held-out\nAUROC"))
        for entry in models:
            metrics = entry["metrics"]
            mark = "yes" if entry["is_champion"] else ""
            figures = [f"{metrics[name]:.3f}" for name in ("average_precision", "auroc")]
            table.add_row(entry["version"], entry["snapshot_date"], mark, *figures)
        return table

    show(models, as_json, lines)


@model_app.command("rollback")
def rollback(as_json: Json = False) -> None:
    """Make the champion before this one champion again."""
    from ringwatch.models.registry.catalog import Catalog

    settings = read_settings()
    with writer_lock(settings, "model rollback"):
        version = Catalog(settings.models_dir).rollback()
    show({"champion": version}, as_json)


@model_app.command("pretrain")
def pretrain(
    folder: Annotated[Path, typer.Option("--out", help="Folder for the model; ours is models/registry/default.")],
    worlds: Annotated[int, typer.Option("--worlds", min=5, help="Worlds to simulate; a fifth calibrate it.")] = 24,
    accounts: Annotated[int, typer.Option("--accounts", min=2000, help="Accounts in each plain one.")] = 20_000,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of the network; the worlds stay the same.")] = 0,
    without: Annotated[
        list[str] | None,
        typer.Option(
            "--without", help="A kind of campaign or people to leave out, to evaluate the model on it; repeat for more."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Make the default model, which scores before there are labels: train a network on simulated worlds.

    Every other world is of random structure, with .4 to 2.5 times as many accounts.
    """
    from ringwatch.pipelines.evaluation.pretrain import pretrain_default

    with progress():
        version = pretrain_default(folder, n_worlds=worlds, n_accounts=accounts, seed=seed, without=without or ())
    show({"version": version, "folder": str(folder)}, as_json)


@model_app.command("leave-out")
def leave_out(
    folder: Annotated[Path, typer.Option("--out", help="Folder for models and table; what is there is kept.")],
    families: Annotated[
        list[str], typer.Option("--family", help="A family of the scenario random-structure; repeat for more.")
    ],
    worlds: Annotated[int, typer.Option("--worlds", min=5, help="Worlds to train each model on.")] = 10,
    accounts: Annotated[int, typer.Option("--accounts", min=2000, help="Accounts in each.")] = 4_000,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of the networks.")] = 0,
    as_json: Json = False,
) -> None:
    """Measure what a default model makes of families that its training lacked, beside one that had them."""
    from ringwatch.pipelines.evaluation.left_out import leave_one_out, left_out_table

    folder.mkdir(parents=True, exist_ok=True)
    with progress():
        rows = leave_one_out(folder, families, n_worlds=worlds, n_accounts=accounts, seed=seed)
    show([asdict(row) for row in rows], as_json, lambda _: left_out_table(rows))
