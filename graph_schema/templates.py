"""Text from Jinja templates, which lie beside the modules that render them: `NAME.html.j2`."""

from jinja2 import Environment, PackageLoader, StrictUndefined

_TEMPLATES = Environment(
    loader=PackageLoader("ringwatch", ""),
    autoescape=True,  # ids and reasons are others' words
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)


def render(template: str, **facts: object) -> str:
    """A template with its values, each escaped.

    Args:
        template: its path from the root of the packages, such as `pipelines/report/night.html.j2`.
        facts: what it names; a name that is missing is an error.
    """
    return _TEMPLATES.get_template(template).render(facts)
