"""What every step uses: settings, errors, whole files, locks, metering, signing."""
