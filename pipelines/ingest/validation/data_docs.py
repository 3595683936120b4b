"""Great Expectations' Data Docs, one page a check: what a check added is rendered, the rest is left as it lies.

GX's own site builder renders every page again and reads every result for its index, which grows with the history;
its renderers are used here directly. The folders keep GX's layout, for its pages link by it:

    DATA_DOCS/index.html                                  the signals, and the newest check of each
    DATA_DOCS/expectations/<signal>.html                  the suite
    DATA_DOCS/validations/<signal>/index.html             every check
    DATA_DOCS/validations/<signal>/YYYY/MM/<nights>.html  one check, of a night or of several checked together
"""

import json
import os
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

from great_expectations.core import ExpectationSuiteValidationResult
from great_expectations.core.run_identifier import RunIdentifier
from great_expectations.render.renderer import ExpectationSuitePageRenderer, ValidationResultsPageRenderer
from great_expectations.render.view import DefaultJinjaPageView

from ringwatch.graph_schema.signals import SIGNALS, Signal
from ringwatch.graph_schema.templates import render
from ringwatch.pipelines.common.settings import Settings
from ringwatch.pipelines.ingest.validation.result import failed_expectations, merge_results
from ringwatch.pipelines.ingest.validation.suites import suite_of

_PAGE = "pipelines/ingest/validation/checks.html.j2"


class DataDocs:
    """The pages under the settings' data_docs_dir. Signals may be added to from several processes at once."""

    def __init__(self, settings: Settings) -> None:
        """Nothing is written before the first check is added."""
        self._root = settings.data_docs_dir

    def add(self, signal: Signal, nights: Sequence[date], results: Sequence[ExpectationSuiteValidationResult]) -> None:
        """Write the page of a check.

        Args:
            signal: what was checked.
            nights: whose partitions, oldest first.
            results: GX's, one for each batch of rows.
        """
        name = str(nights[0]) if len(nights) == 1 else f"{nights[0]}_{nights[-1]}"
        result = merge_results(results)
        result.meta = {"run_id": RunIdentifier(run_name=f"{signal.name} {name.replace('_', ' to ')}")}
        page = f"{nights[0]:%Y/%m}/{name}.html"
        _write(self._folder(signal) / page, _render(ValidationResultsPageRenderer(), result))
        _write(
            self._root / "expectations" / f"{signal.name}.html",
            _render(ExpectationSuitePageRenderer(), suite_of(signal)),
        )
        self._list(signal, {"nights": name.replace("_", " to "), "page": page, "failed": failed_expectations(result)})

    def _folder(self, signal: Signal) -> Path:
        return self._root / "validations" / signal.name

    def _list(self, signal: Signal, check: dict[str, Any]) -> None:
        others = [one for one in self._checks(signal) if one["page"] != check["page"]]
        checks = sorted([*others, check], key=lambda one: str(one["nights"]), reverse=True)
        _write(self._folder(signal) / "checks.json", json.dumps(checks))
        listed = [(signal.name, each) for each in checks]
        page = render(_PAGE, title=f"Checks of {signal.name}", signal=signal.name, checks=listed)
        _write(self._folder(signal) / "index.html", page)
        newest = [(one.name, found[0]) for one in SIGNALS if (found := self._checks(one))]
        title = "What was delivered, and whether it kept to its expectations"
        _write(self._root / "index.html", render(_PAGE, title=title, checks=newest))

    def _checks(self, signal: Signal) -> list[dict[str, Any]]:
        path = self._folder(signal) / "checks.json"
        checks: list[dict[str, Any]] = json.loads(path.read_text()) if path.exists() else []
        return checks


def _render(renderer: Any, subject: object) -> str:
    view: Any = DefaultJinjaPageView()  # untyped, as the renderers are
    page: str = view.render(renderer.render(subject))
    return page


def _write(path: Path, text: str) -> None:
    """Whole or not at all: somebody may be reading."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)
