"""Trained models: what one consists of, its files, and which is champion."""
