"""Ask the public validator of STIX 2.1 (OASIS's) what is wrong with a bundle, on the way out and at the door."""

from stix2validator import ValidationOptions, validate_string


def faults_of(text: str) -> list[str]:
    """What is wrong with a bundle, a sentence each; none if it is valid."""
    try:
        result = validate_string(text, ValidationOptions(version="2.1"))
        return [] if result.is_valid else [str(error) for error in result.errors] or ["invalid"]
    except Exception as error:  # what others wrote may break it in ways that it does not foresee
        return [f"the validator cannot read it: {type(error).__name__} {error}"]
