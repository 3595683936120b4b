"""The embedded Airflow, and what the DAG files share."""
