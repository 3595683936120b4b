"""The embedded Neo4j and Airflow, set-up, demo and test scripts."""
