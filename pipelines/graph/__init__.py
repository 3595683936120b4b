"""Neo4j: the connection, loads by transactions or by offline import, and the mirror of the graph as tables."""
