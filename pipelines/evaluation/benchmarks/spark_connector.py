"""How fast Neo4j's connector for Apache Spark writes and reads: what a platform that has Spark would use.

Spark wants a JDK, which Ringwatch does not bring, and 230 MB of jars, which are fetched when one is there.
"""

import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from neo4j import Driver

from ringwatch.infra.neo4j.jars import SPARK, fetch_jars
from ringwatch.pipelines.common.errors import RingwatchError
from ringwatch.pipelines.common.settings import Settings
from ringwatch.pipelines.graph.client import credentials, run
from ringwatch.pipelines.graph.load import Say

_PROGRAM = Path(__file__).with_name("SparkConnector.java")
_TIMEOUT_S = 900
_HEAP = "-Xmx2g"
# What Spark reaches into, in Java 17: its own scripts hand the same to the JVM.
_OPENED = (
    "java.lang",
    "java.lang.invoke",
    "java.nio",
    "java.util",
    "java.util.concurrent",
    "sun.nio.ch",
    "sun.util.calendar",
)


@dataclass(frozen=True)
class SparkRates:
    """Relationships a second, with five properties each, by Spark with Neo4j's connector."""

    write: float
    read: float


def measure_spark(settings: Settings, driver: Driver, used: pa.Table, say: Say) -> SparkRates | None:
    """Write relationships `(:Account)-[:BENCHMARK_SPARK]->(:IpAddress)` and read as many that stand.

    Args:
        settings: of the installation.
        driver: to its graph.
        used: USED_IP relationships, of which the nodes stand in the graph.
        say: told what is done, and why if it is not.
    """
    try:
        java = _java()
        if SPARK.missing():
            say("fetching Spark, 230 MB")
            fetch_jars(SPARK)
        say("measuring the connector for Spark")
        rates = _run(java, settings, used)
        [written] = run(driver, "MATCH ()-[r:BENCHMARK_SPARK]->() RETURN count(r) AS n")
        if written["n"] != used.num_rows:
            raise RingwatchError(f"it wrote {written['n']} of {used.num_rows} relationships.")
    except RingwatchError as error:
        say(f"Spark is left out: {error}")
        return None
    return rates


def _java() -> str:
    """The `java` beside the compiler on the path; a runtime alone cannot run a program from source."""
    compiler = shutil.which("javac")
    java = Path(compiler).resolve().with_name("java") if compiler else None
    if java is None or not java.exists():
        raise RingwatchError("no JDK (javac) was found on the path.")
    return str(java)


def _run(java: str, settings: Settings, used: pa.Table) -> SparkRates:
    uri, user, password = credentials(settings)
    opened = [f"--add-opens=java.base/{package}=ALL-UNNAMED" for package in _OPENED]
    with tempfile.TemporaryDirectory() as folder:
        rows = Path(folder) / "used.parquet"
        pq.write_table(used, rows, coerce_timestamps="us")
        command = [java, _HEAP, *opened, "-cp", f"{SPARK.folder}/*", str(_PROGRAM)]
        command += [uri, user, str(rows), str(used.num_rows)]
        try:
            ended = subprocess.run(
                command, input=password, capture_output=True, text=True, timeout=_TIMEOUT_S, cwd=folder, check=False
            )
        except subprocess.TimeoutExpired:
            raise RingwatchError(f"it was not done after {_TIMEOUT_S} s.") from None
    found = [line.split()[1:] for line in ended.stdout.splitlines() if line.startswith("SECONDS ")]
    if not found:
        faults = [line for line in ended.stderr.splitlines() if "Exception" in line] or ["it said nothing."]
        raise RingwatchError(f"it ended with {ended.returncode}: {faults[-1].strip()}")
    written_s, read_s = (float(each) for each in found[0])
    return SparkRates(write=used.num_rows / written_s, read=used.num_rows / read_s)
