"""What a command prints while it works: the pipelines' log, and nothing twice."""

import logging

import pytest

from ringwatch.pipelines.cli.app import progress
from ringwatch.pipelines.common.progress import percent_logger

_log = logging.getLogger("ringwatch.pipelines.nightly.example")


def test_what_pipelines_log_is_printed_once_while_a_command_works(
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    with progress():
        for message in ("checking logins", "checking logins", "writing accounts"):
            _log.info(message)
    _log.info("afterwards")
    lines = [line.partition("] ")[2] for line in capsys.readouterr().err.splitlines()]
    assert lines == ["checking logins", "writing accounts"]
    assert caplog.messages == []  # the root logger would print it again


def test_a_warning_reaches_the_root_logger_while_progress_is_shown(
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    with progress():
        _log.warning("the disk is nearly full")
    assert caplog.messages == ["the disk is nearly full"]
    assert "nearly full" not in capsys.readouterr().err


def test_each_whole_percent_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    log_share = percent_logger(_log, "training")
    with caplog.at_level(logging.INFO, _log.name):
        for share in (0.001, 0.002, 0.25, 0.251, 1.0):
            log_share(share)
    assert caplog.messages == ["training: 0%", "training: 25%", "training: 100%"]
