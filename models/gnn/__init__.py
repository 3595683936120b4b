"""The graph neural network, and the graph as it takes it."""
