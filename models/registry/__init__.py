"""Trained models: what one is, as files, and which is champion."""
