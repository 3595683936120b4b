"""Every setting of Ringwatch, and the only module that reads the environment.

A setting comes from `RINGWATCH_<NAME>` in the environment, else from `.env` in the working directory, else
from its default here. Paths of the state folder are declared here too, so that nobody else joins strings.
"""

import json
import re
from datetime import date
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from ringwatch.pipelines.common.errors import RingwatchError

# Names of partners, and ours: they are parts of file names, and are shown to people.
PARTNER_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}")
_MIN_KEY_LENGTH = 16


class Settings(BaseSettings):
    """Settings of one installation; each field's description is its documentation."""

    model_config = SettingsConfigDict(env_prefix="RINGWATCH_", env_file=".env", extra="ignore", frozen=True)

    home: Path = Field(
        Path(".ringwatch"), description="Folder of all state: ledger, snapshots, models, embedded servers."
    )
    exports: Path | None = Field(None, description="Where ban lists and scores leave. Default: HOME/exports.")
    landing: Path | None = Field(None, description="Landing zone that the DAGs read; the commands take --landing.")

    neo4j_uri: str | None = Field(None, description="Bolt address of a Neo4j elsewhere. Default: the embedded server.")
    neo4j_user: str = Field("neo4j", description="User at that Neo4j.")
    neo4j_password_file: Path | None = Field(None, description="File that holds the password, and nothing else.")
    neo4j_heap_mb: int = Field(1024, ge=256, description="Heap of the embedded Neo4j, in MiB.")
    neo4j_pagecache_mb: int = Field(512, ge=64, description="Page cache of the embedded Neo4j, in MiB.")

    retention_days: int = Field(400, ge=0, description="Relationships unseen for longer are retired; 0 keeps all.")
    held_days: int = Field(30, ge=0, description="How long rows wait for their account before they are quarantined.")
    quarantine_limit: float = Field(
        0.2, ge=0, le=1, description="Share of a signal's rows in quarantine above which the night stops."
    )
    require_success_file: bool = Field(False, description="Read only partitions that hold a _SUCCESS file.")
    lock_timeout_s: float = Field(10, ge=0, description="How long a writer waits for another to end.")

    train_every_days: int = Field(7, ge=1, description="A nightly run trains when the champion is older than this.")
    reopen_growth: float = Field(
        0.2, gt=0, description="A ring that people cleared is a question again when this share of it has joined since."
    )
    reopen_on_new_kind: bool = Field(
        True, description="And when who joined shares a kind of identifier with it that it did not share before."
    )
    audits_per_night: int = Field(
        5, ge=0, description="Accounts drawn at random each night for people to look at, to keep labels unbiased."
    )
    max_psi: float = Field(
        0.25,
        gt=0,
        description="Drift (PSI) of scores or of a feature since the model's training night that holds a ban list.",
    )
    policy: Path | None = Field(
        None,
        description="TOML file of the ban list's policy; its fields are in pipelines/ban_list/rules/policy.py.",
    )
    default_model: Path | None = Field(
        None, description="Folder of a default model made by `ringwatch model pretrain`. Default: the one that ships."
    )
    signing_key: SecretStr | None = Field(None, description="Key of the manifest's HMAC-SHA256. Without it: unsigned.")

    platform: str = Field(
        "Ringwatch", description="Our name in indicators for partners: letters, digits and ._-, 64 at most."
    )
    tlp: Literal["clear", "green", "amber", "red"] = Field(
        "amber", description="Traffic light that indicators for partners are marked with: clear, green, amber or red."
    )
    indicators_floor: int = Field(
        5, ge=2, description="How many listed accounts must stand behind whatever partners are told."
    )
    indicators_days: int = Field(
        30, ge=1, description="How long an indicator is in force: ours, and a partner's that does not say."
    )
    partner_keys: Annotated[dict[str, SecretStr], NoDecode] = Field(
        {}, description='Keys of the HMACs of cards, one shared with each partner: JSON, {"name": "key"}.'
    )

    @field_validator("platform")
    @classmethod
    def _is_a_name(cls, name: str) -> str:
        if not PARTNER_NAME.fullmatch(name):
            raise ValueError("letters, digits and ._- only, at most 64, no dot first")
        return name

    @field_validator("partner_keys", mode="before")
    @classmethod
    def _are_named_keys(cls, given: object) -> object:
        """Keys by partner; what is wrong is said without the keys."""
        try:
            keys = json.loads(given) if isinstance(given, str) else given
        except ValueError:
            keys = None
        if not isinstance(keys, dict) or not all(isinstance(key, str | SecretStr) for key in keys.values()):
            raise ValueError('not a JSON object of names and keys, as {"acme": "..."}')
        for name, key in keys.items():
            if not PARTNER_NAME.fullmatch(name):
                raise ValueError("a partner's name is of letters, digits and ._- only, at most 64, no dot first")
            if len(key.get_secret_value() if isinstance(key, SecretStr) else key) < _MIN_KEY_LENGTH:
                raise ValueError(f"the key of {name} is shorter than {_MIN_KEY_LENGTH} characters")
        return keys

    @property
    def home_dir(self) -> Path:
        """State folder, absolute."""
        return self.home.expanduser().resolve()

    @property
    def exports_dir(self) -> Path:
        """Exports folder, absolute."""
        return self.exports.expanduser().resolve() if self.exports else self.home_dir / "exports"

    @property
    def ledger_dir(self) -> Path:
        """Accepted rows by signal and partition, and the record of each load."""
        return self.home_dir / "ledger"

    @property
    def quarantine_dir(self) -> Path:
        """Rejected rows as Parquet, by signal and partition."""
        return self.home_dir / "quarantine"

    @property
    def data_docs_dir(self) -> Path:
        """Great Expectations' pages."""
        return self.home_dir / "data_docs"

    @property
    def snapshots_dir(self) -> Path:
        """The graph as it stood at each night detected."""
        return self.home_dir / "snapshots"

    @property
    def models_dir(self) -> Path:
        """Versioned models and the register of champions."""
        return self.home_dir / "models"

    @property
    def runs_dir(self) -> Path:
        """What each night's detection found: its scores, rings and thresholds."""
        return self.home_dir / "runs"

    @property
    def ban_lists_dir(self) -> Path:
        """Proposals and approval records."""
        return self.home_dir / "ban_lists"

    @property
    def indicators_dir(self) -> Path:
        """What leaves for partners, by night."""
        return self.exports_dir / "indicators"

    @property
    def desk_dir(self) -> Path:
        """What analysts are served beside Neo4j Browser: the night at a glance, and its report by night."""
        return self.home_dir / "desk"

    def report_file(self, night: date) -> Path:
        """The report of a night."""
        return self.desk_dir / "reports" / f"date={night}" / "report.html"

    @property
    def neo4j_dir(self) -> Path:
        """The embedded Neo4j: configuration, data, logs, password, pid."""
        return self.home_dir / "neo4j"

    @property
    def airflow_dir(self) -> Path:
        """The embedded Airflow: AIRFLOW_HOME, logs, pid."""
        return self.home_dir / "airflow"


def read_settings() -> Settings:
    """Settings of this process.

    Raises:
        RingwatchError: a setting is malformed; the message names it and says what it takes.
    """
    try:
        return Settings()  # type: ignore[call-arg]  # every field has a default
    except ValidationError as error:
        faults = "; ".join(f"RINGWATCH_{str(e['loc'][0]).upper()}: {e['msg']}" for e in error.errors())
        raise RingwatchError(f"bad setting: {faults}. Mend it in the environment or in .env.") from None
