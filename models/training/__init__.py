"""Training: the loop, folds, calibration, a platform's own ensemble, pretraining, promotion."""
