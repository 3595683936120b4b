"""What analysts have in Neo4j Browser: colours, a guide of queries to click, and how to decide."""
