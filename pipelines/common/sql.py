"""SQL over a night's tables: the one module that names the engine, DuckDB.

Steps take a `Connection`, and call its `execute`, `sql`, `register` and `table`; results leave as Arrow tables.
"""

from typing import Any

import duckdb

Connection = duckdb.DuckDBPyConnection
SqlError = duckdb.Error
ConversionError = duckdb.ConversionException


def open_connection(**config: Any) -> Connection:
    """A connection to a database in memory, by DuckDB's settings."""
    return duckdb.connect(config=config)
