"""The check of a delivery: cast, Great Expectations, quarantine, Data Docs."""
