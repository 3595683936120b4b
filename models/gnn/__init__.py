"""The graph neural network, its input schema, and a snapshot as HeteroData."""
