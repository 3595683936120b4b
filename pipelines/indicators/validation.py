"""Ask OASIS's libraries of STIX 2.1 what is wrong with a bundle, on the way out and at the door, and what is in it."""

from typing import Any


def faults_of(text: str) -> list[str]:
    """What the public validator finds wrong with a bundle, a sentence each; none if it is valid."""
    from stix2validator import ValidationOptions, validate_string  # takes half a second to import

    try:
        result = validate_string(text, ValidationOptions(version="2.1"))
        return [] if result.is_valid else [str(error) for error in result.errors] or ["invalid"]
    except Exception as error:  # what others wrote may break it in ways that it does not foresee
        return [f"the validator cannot read it: {type(error).__name__} {error}"]


def objects_of(text: str) -> list[Any]:
    """The objects of a valid bundle, with times as times.

    Raises:
        ValueError: there is something that the validator let pass.
    """
    import stix2  # as above

    try:
        objects: list[Any] = stix2.parse(text, allow_custom=True).objects
    except Exception as error:  # as above
        raise ValueError(f"it cannot be read: {type(error).__name__} {error}") from error
    return objects
