"""The parameters of a world, their scenarios, and how they are varied."""
