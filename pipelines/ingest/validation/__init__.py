"""The check of deliveries: cast, Great Expectations, quarantine, Data Docs. `check` is the one way in."""

from ringwatch.pipelines.ingest.validation.data_docs import DataDocs
from ringwatch.pipelines.ingest.validation.deliveries import Checked, check

__all__ = ["Checked", "DataDocs", "check"]
