"""The environment that makes Airflow ours: one home, this machine only, small, with the project's DAGs.

Settings travel to the tasks as the environment variables that they came from, with absolute paths, so that a task
finds the same state folder wherever it runs.
"""

import json
import os
import secrets
import sys
from contextlib import suppress
from pathlib import Path

from pydantic import SecretStr

from ringwatch.infra.process.ports import HOST
from ringwatch.pipelines.common.settings import Settings

USER = "admin"
DAGS_DIR = Path(__file__).resolve().parents[2] / "dags"
# Tasks that write the graph, one at a time: in a pool of one slot they queue, and none waits in a slot for a lock.
WRITER_POOL = "ringwatch_writer"
# Tasks at once. Each is a process of its own with pandas in it; Airflow's default of 32 takes gigabytes.
PARALLELISM = 3


def password_file(settings: Settings) -> Path:
    """Airflow's own file of generated passwords: JSON, user to password."""
    return settings.airflow_dir / "simple_auth_manager_passwords.json.generated"


def ensure_secrets(settings: Settings) -> None:
    """Generate the user's password and the key of Airflow's tokens once, in files that only their owner reads."""
    _write_once(password_file(settings), json.dumps({USER: secrets.token_urlsafe(18)}))
    _write_once(_token_key_file(settings), secrets.token_urlsafe(64))


def _token_key_file(settings: Settings) -> Path:
    return settings.airflow_dir / "token_key"


def _write_once(path: Path, content: str) -> None:
    with suppress(FileExistsError):
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "w", encoding="utf-8") as file:
            file.write(content)


def airflow_environment(settings: Settings, port: int) -> dict[str, str]:
    """Environment of every part of the embedded Airflow; of an Airflow around us, nothing is left."""
    home = settings.airflow_dir
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "RINGWATCH_"))}
    url = f"http://{HOST}:{port}"
    return {
        **inherited,
        **settings_environment(settings),
        # Airflow starts its helpers by the name `airflow`.
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), inherited.get("PATH", os.defpath)]),
        "PYTHONUNBUFFERED": "1",
        # Its parts talk to each other over HTTP, which must not leave by a proxy.
        "NO_PROXY": f"{HOST},localhost",
        "no_proxy": f"{HOST},localhost",
        "GX_ANALYTICS_ENABLED": "false",
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__API__HOST": HOST,
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__BASE_URL": url,
        "AIRFLOW__API_AUTH__JWT_SECRET": _token_key_file(settings).read_text(),
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
        "AIRFLOW__CORE__DAGS_FOLDER": str(DAGS_DIR),
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__PARALLELISM": str(PARALLELISM),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(password_file(settings)),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": f"{USER}:admin",
        "AIRFLOW__DAG_PROCESSOR__PARSING_PROCESSES": "1",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home / 'airflow.db'}",
        # How long a worker may look away from a task that has ended: 5 s by default, which adds up over a night's
        # tasks, and makes the scheduler take a task for killed that is answered while its worker still looks away.
        "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
    }


def settings_environment(settings: Settings) -> dict[str, str]:
    """Settings as the variables that `common.settings` reads; paths absolute, what is unset left out."""
    values = {name: getattr(settings, name) for name in type(settings).model_fields}
    values |= {"home": settings.home_dir, "exports": settings.exports_dir}
    return {f"RINGWATCH_{name.upper()}": _as_text(value) for name, value in values.items() if value is not None}


def _as_text(value: object) -> str:
    match value:
        case SecretStr():
            return value.get_secret_value()
        case Path():
            return str(value.expanduser().resolve())
        case _:
            return str(value)
