"""The embedded Neo4j, the set-up of Airflow, and the scripts that a user starts first."""
