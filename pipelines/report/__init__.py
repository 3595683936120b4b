"""The nightly report: what a night did, in one page, and at a glance for the guide."""

from ringwatch.pipelines.report.write import write_report

__all__ = ["write_report"]
