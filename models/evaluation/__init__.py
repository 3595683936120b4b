"""Evaluation: metrics, baselines, ablations, and the faithfulness of evidence."""
