"""Inputs of the models: account features, relations, candidate pairs, encodings."""
