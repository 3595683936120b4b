"""Training: the loop, folds, calibration, networks of a platform's own, promotion."""
