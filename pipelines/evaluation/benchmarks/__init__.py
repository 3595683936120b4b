"""Benchmarks: public data by published protocols, queries, and the pipeline beside what the server can do."""
