"""The application that the commands hang on, and how all of them speak: results, progress, errors."""

import json
import logging
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.status import Status
from rich.text import Text
from typer.core import TyperGroup

from ringwatch.pipelines.common.errors import RingwatchError
from ringwatch.pipelines.common.extras import how_to_install

# What is printed is data: square brackets and colons in it are no markup.
out = Console(highlight=False, markup=False, emoji=False)
err = Console(stderr=True, highlight=False, markup=False, emoji=False)


class _Group(TyperGroup):
    """Turns an error that the user can fix into one sentence and an exit code."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except RingwatchError as error:
            _print_error(str(error))
            raise typer.Exit(error.exit_code) from None
        except ModuleNotFoundError as error:
            if (sentence := how_to_install(error)) is None:
                raise
            _print_error(sentence)
            raise typer.Exit(RingwatchError.exit_code) from None


def _print_error(sentence: str) -> None:
    err.print(Text.assemble(("error:", "red"), f" {sentence}"), soft_wrap=True)


app = typer.Typer(
    name="ringwatch",
    cls=_Group,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Finds networks of fake accounts: loads nightly signals into Neo4j, scores them, and proposes ban lists."
    " Settings come from RINGWATCH_* in the environment or .env; `ringwatch doctor` shows them.",
    epilog="Exit codes: 0 done, 1 unforeseen fault, 2 something to fix, 3 nothing to load, 4 quarantine limit,"
    " 5 another writer, 6 Neo4j unreachable, 7 ban list not approved.",
)

Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON on standard output.")]
Landing = Annotated[Path, typer.Option("--landing", help="The landing zone: LANDING/<signal>/date=YYYY-MM-DD/*.")]
Day = Annotated[datetime, typer.Option("--date", formats=["%Y-%m-%d"], help="The night, as YYYY-MM-DD.")]
AccountId = Annotated[str, typer.Option("--account", help="The account's id.")]
By = Annotated[str, typer.Option("--by", help="Name of the person who decides.")]


def main() -> None:
    """Run the command line."""
    # A warning for torch-geometric's authors, raised at its import.
    warnings.filterwarnings("ignore", message="`torch.jit.script` is deprecated", category=FutureWarning)
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    app()


@contextmanager
def progress() -> Iterator[None]:
    """Show what the pipelines log: in a spinner with the time where a person looks, else as lines."""
    logging.getLogger("ringwatch.steps").setLevel(logging.INFO)  # each step's line goes where warnings go
    if not err.is_terminal:
        with _shown_by(_Lines()):
            yield
        return
    with err.status("starting") as status, _shown_by(_Spinner(status)):
        yield


class _Lines(logging.Handler):
    """Prints each message with the seconds since the start, once where it is repeated."""

    def __init__(self) -> None:
        super().__init__()
        self._began = time.monotonic()
        self._latest = ""

    def emit(self, record: logging.LogRecord) -> None:
        message = record.getMessage()
        if message != self._latest:
            print(f"[{time.monotonic() - self._began:6.1f} s] {message}", file=sys.stderr, flush=True)
        self._latest = message


class _Spinner(logging.Handler):
    """Shows the latest message beside the spinner, and all of them above it."""

    def __init__(self, status: Status) -> None:
        super().__init__()
        self._status = status

    def emit(self, record: logging.LogRecord) -> None:
        message = record.getMessage()
        self._status.update(message)
        err.log(message)


class _Warnings(logging.Handler):
    """Passes warnings on to the root logger."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)

    def emit(self, record: logging.LogRecord) -> None:
        logging.getLogger().handle(record)


@contextmanager
def _shown_by(handler: logging.Handler) -> Iterator[None]:
    """Hand the pipelines' messages to a handler; warnings go to the root logger's handlers, as ever."""
    log = logging.getLogger("ringwatch.pipelines")
    level, was_propagated = log.level, log.propagate
    handler.addFilter(lambda record: record.levelno < logging.WARNING)
    others = _Warnings()
    log.setLevel(logging.INFO)
    log.propagate = False
    log.addHandler(handler)
    log.addHandler(others)
    try:
        yield
    finally:
        log.removeHandler(handler)
        log.removeHandler(others)
        log.propagate = was_propagated
        log.setLevel(level)


def as_data(result: Any) -> Any:
    """A result, or a list of them, as what JSON can hold."""
    if isinstance(result, list):
        return [as_data(each) for each in result]
    return asdict(result) if is_dataclass(result) and not isinstance(result, type) else result


def show(result: Any, as_json: bool, lines: Callable[[Any], Any] | None = None) -> None:
    """Print a result: as JSON, or as `lines` make it readable (text, a table, or a list of those)."""
    if as_json:
        print(json.dumps(as_data(result), indent=1, default=str))
        return
    if lines is not None:
        readable = lines(result)
        for each in readable if isinstance(readable, list) else [readable]:
            out.print(each, soft_wrap=True)
        return
    for name, value in as_data(result).items():
        out.print(f"{name:>18}  {value}", soft_wrap=True)


def day_of(moment: datetime) -> date:
    """The date that an option gave."""
    return moment.date()
