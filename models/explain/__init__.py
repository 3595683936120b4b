"""Explanations: the reasons of a score, in sentences, and the evidence behind a listing."""
