"""Progress of long steps, as lines of the log: the command line shows them, and Airflow's task logs keep them."""

import logging
from collections.abc import Callable


def percent_logger(log: logging.Logger, step: str) -> Callable[[float], None]:
    """Return a function that logs the share done (0..1), once for each whole percent."""
    latest = ""

    def log_share(share: float) -> None:
        nonlocal latest
        percent = f"{share:.0%}"
        if percent != latest:
            log.info("%s: %s", step, percent)
        latest = percent

    return log_share
