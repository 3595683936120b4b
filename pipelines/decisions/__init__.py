"""What people decided in the graph: written, harvested into the ledger, and used as labels."""
