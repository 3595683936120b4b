"""Where a Chromium is, for tests that drive Neo4j Browser."""

import shutil

HOW_TO_INSTALL = "no Chromium is installed, which this needs (Debian: apt-get install chromium)"
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def find_browser() -> str | None:
    """Path of a Chromium or Chrome; None where there is none."""
    return next((path for name in _NAMES if (path := shutil.which(name))), None)
