"""The ledger: accepted rows by signal and partition, which of them are in force, and their accounting."""
