"""The web server of guide and reports, on this machine alone."""
