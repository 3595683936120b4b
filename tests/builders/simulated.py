"""Simulated worlds for tests: read back whole, and searched for leaks of the truth."""

from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
from sklearn.metrics import roc_auc_score

from ringwatch.graph_schema.signals import SIGNALS, Kind, Signal

_OPAQUE = (Kind.ID, Kind.IP, Kind.DOMAIN)  # what an account shares with others is for the graph; how it is written not
_MAX_WORDS = 40


_READ = "read_parquet('{}', hive_partitioning = true, hive_types = {{'date': DATE}}, file_row_number = true)"


def connect(world: Path) -> duckdb.DuckDBPyConnection:
    """A connection with a view a signal, and `truth`."""
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute(f"CREATE VIEW truth AS FROM '{world / 'truth.parquet'}'")
    for signal in SIGNALS:
        if _has(world, signal):
            files = world / "landing" / signal.name / "*" / "*.parquet"
            connection.execute(f"CREATE VIEW {signal.name} AS FROM {_READ.format(files)}")
        else:
            columns = ", ".join(f"NULL::{_sql_type(field.kind)} AS {field.name}" for field in signal.fields)
            connection.execute(f"CREATE VIEW {signal.name} AS SELECT {columns}, NULL::DATE AS date WHERE false")
    return connection


def _has(world: Path, signal: Signal) -> bool:
    return any((world / "landing" / signal.name).glob("*/*.parquet"))


def _sql_type(kind: Kind) -> str:
    return {Kind.TIMESTAMP: "TIMESTAMPTZ", Kind.INTEGER: "BIGINT", Kind.NUMBER: "DOUBLE"}.get(kind, "VARCHAR")


def bytes_of(folder: Path) -> dict[str, bytes]:
    """Every file of a folder."""
    return {str(file.relative_to(folder)): file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()}


@dataclass(frozen=True, order=True)
class Trait:
    """How well one trait of the accounts' rows tells fakes from people by itself, either way round."""

    auroc: float
    name: str


def traits(world: Path) -> list[Trait]:
    """Single columns, and how they are written, by their AUROC on the accounts that have such rows; strongest first."""
    connection = connect(world)
    found: list[Trait] = []
    for signal in SIGNALS:
        if signal.name == "labels" or not _has(world, signal):
            continue  # labels are the answer, and known to be
        expressions = _expressions(connection, signal)
        selected = ", ".join(f"({sql})::DOUBLE" for sql in expressions.values())
        columns = connection.sql(
            f"SELECT any_value(is_fake), {selected} FROM {signal.name} JOIN truth USING (account_id)"
            " GROUP BY account_id ORDER BY account_id"
        ).fetchnumpy()
        is_fake, *values = (np.ma.filled(np.ma.asarray(column), -1.0) for column in columns.values())
        for name, value in zip(expressions, values, strict=True):
            auroc = roc_auc_score(is_fake.astype(bool), value)
            found.append(Trait(float(max(auroc, 1 - auroc)), f"{signal.name}: {name}"))
    return sorted(found, reverse=True)


def _expressions(connection: duckdb.DuckDBPyConnection, signal: Signal) -> dict[str, str]:
    """SQL aggregates over an account's rows, by name."""
    found = {"rows": "count(*)", "place in the file": "avg(file_row_number)"}
    found |= {f"account_id's letter {n}": f"unicode(any_value(account_id)[{n}])" for n in (3, 4, 10, -1)}
    for field in signal.fields:
        column = field.name
        if column == "account_id":
            continue
        found[f"{column} null"] = f"avg(({column} IS NULL)::INT)"
        if field.kind in (Kind.INTEGER, Kind.NUMBER):
            found |= {f"{f} of {column}": f"{f}({column})" for f in ("avg", "min", "max", "sum")}
            found |= {f"{column} mod {m}": f"avg(({column} * 100) % {m})" for m in (10, 100)}
        elif field.kind is Kind.TIMESTAMP:
            found |= {f"{f} of {column}": f"{f}(epoch({column}))" for f in ("min", "max")}
            found |= {f"{part} of {column}": f"avg({part}({column}))" for part in ("hour", "minute", "second")}
            found[f"microseconds of {column}"] = f"avg(epoch_us({column}) % 1000000)"
        elif field.kind in _OPAQUE:
            found[f"length of {column}"] = f"avg(length({column}))"
            found |= {f"{column}'s letter {n}": f"avg(unicode({column}[{n}]))" for n in (1, 3, 4, -1)}
            found[f"{column}s"] = f"count(DISTINCT {column})"
        else:
            found |= _word_shares(connection, signal, column)
    return found


def _word_shares(connection: duckdb.DuckDBPyConnection, signal: Signal, column: str) -> dict[str, str]:
    words = connection.sql(
        f"SELECT {column} FROM {signal.name} WHERE {column} IS NOT NULL GROUP BY 1 ORDER BY count(*) DESC, 1"
        f" LIMIT {_MAX_WORDS}"
    ).fetchall()
    shares = {f"share of {column} {word}": f"avg(({column} IS NOT DISTINCT FROM '{word}')::INT)" for (word,) in words}
    return shares | {f"{column}s": f"count(DISTINCT {column})"}
