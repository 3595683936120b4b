"""Commands for the embedded servers: Neo4j and Airflow. Only here does the pipeline start a server."""

import logging
from typing import Annotated

import typer

from ringwatch.pipelines.cli.app import Json, app, progress, show
from ringwatch.pipelines.common.settings import read_settings

_log = logging.getLogger(__name__)

neo4j_app = typer.Typer(no_args_is_help=True, help="The embedded Neo4j, with Neo4j Browser.")
airflow_app = typer.Typer(no_args_is_help=True, help="The embedded Airflow: scheduler, dag processor, triggerer, API.")
app.add_typer(neo4j_app, name="neo4j")
app.add_typer(airflow_app, name="airflow")


@neo4j_app.command("start")
def neo4j_start(as_json: Json = False) -> None:
    """Start it, detached, and wait until it answers. Does nothing if it runs."""
    from ringwatch.infra.neo4j import server as neo4j_server

    with progress():
        _log.info("starting Neo4j (about 15 seconds)")
        status = neo4j_server.start(read_settings())
    show(status, as_json)


@neo4j_app.command("stop")
def neo4j_stop(as_json: Json = False) -> None:
    """Stop it; its data stays."""
    from ringwatch.infra.neo4j import server as neo4j_server

    show({"stopped": neo4j_server.stop(read_settings())}, as_json)


@neo4j_app.command("status")
def neo4j_status(as_json: Json = False) -> None:
    """Say whether it runs, where, and with which user and password file."""
    from ringwatch.infra.neo4j import server as neo4j_server

    show(neo4j_server.status(read_settings()), as_json)


@neo4j_app.command("reset")
def neo4j_reset(
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: Json = False,
) -> None:
    """Stop it and delete its graph. The ledger stays: the next load writes the graph anew."""
    from ringwatch.infra.neo4j import server as neo4j_server

    if not yes:
        typer.confirm("Delete the embedded graph (decisions not yet in the ledger are lost)?", abort=True, err=True)
    neo4j_server.reset(read_settings())
    show({"reset": True}, as_json)


@airflow_app.command("start")
def airflow_start(as_json: Json = False) -> None:
    """Start it, detached, and wait until it is healthy. Does nothing if it runs."""
    from ringwatch.infra.airflow import server as airflow_server

    with progress():
        _log.info("starting Airflow (about half a minute)")
        status = airflow_server.start(read_settings())
    show(status, as_json)


@airflow_app.command("stop")
def airflow_stop(as_json: Json = False) -> None:
    """Stop all its processes; its history stays."""
    from ringwatch.infra.airflow import server as airflow_server

    show({"stopped": airflow_server.stop(read_settings())}, as_json)


@airflow_app.command("status")
def airflow_status(as_json: Json = False) -> None:
    """Say whether it runs, where, and with which user and password file."""
    from ringwatch.infra.airflow import server as airflow_server

    show(airflow_server.status(read_settings()), as_json)


@airflow_app.command("dags-folder")
def airflow_dags_folder() -> None:
    """Print the folder of Ringwatch's DAG files, for an Airflow of your own; see its README.md."""
    from ringwatch.infra.airflow.environment import DAGS_DIR

    print(DAGS_DIR)
