"""The embedded Neo4j: its jars, configuration, process and life."""
