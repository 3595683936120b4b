"""E-mail addresses and phone numbers as they are never enter: upstream hands over keyed hashes and domains.

A value that holds one is as wrong as any that its field may not have, and is struck out of what is kept of the row
that held it: in quarantine, in its reasons, and among the fields made null.
"""

import pyarrow as pa
import pyarrow.compute as pc

from ringwatch.graph_schema.signals import Field, Kind

_NEITHER = r"""\s@"'`,;:<>()\[\]{}|\\/="""
_EMAIL = rf"[^{_NEITHER}]+@[^{_NEITHER}.]+(\.[^{_NEITHER}.]+)+"
# Seven digits or more, with what people write between them. Only in a field of hashes may the plus be missing:
# elsewhere digits alone are an id.
_PHONE = r"\+[0-9][0-9 ()./-]{5,}[0-9]"
_PHONE_AS_HASH = r"^\s*\+?\(?[0-9][0-9 ()./-]{5,18}[0-9]\s*$"
EMAIL_STRUCK, PHONE_STRUCK = "[e-mail address]", "[phone number]"


def holds_contact(values: pa.Array, field: Field) -> pa.Array:
    """Whether values of a field hold an address or a number as it is: `[n_rows] bool`, False for null."""
    if field.kind not in (Kind.ID, Kind.TEXT):
        return pa.repeat(pa.scalar(False), len(values))
    found = _matches(values, "@", _EMAIL)
    found = pc.or_(found, _matches(values, "+", f"^{_PHONE}$"))
    if field.is_hash:
        found = pc.or_(found, pc.fill_null(pc.match_substring_regex(values, _PHONE_AS_HASH), False))
    return found


def strike_contacts(texts: pa.Array, field: Field | None = None) -> pa.Array:
    """The texts with a note in the place of every address and number; `field` where they are values of one."""
    if pc.any(_matches(texts, "@", _EMAIL)).as_py():
        texts = pc.replace_substring_regex(texts, _EMAIL, EMAIL_STRUCK)
    if pc.any(_matches(texts, "+", _PHONE)).as_py():
        texts = pc.replace_substring_regex(texts, _PHONE, PHONE_STRUCK)
    if field is not None and field.is_hash:
        texts = pc.replace_substring_regex(texts, _PHONE_AS_HASH, PHONE_STRUCK)
    return texts


def _matches(texts: pa.Array, sign: str, pattern: str) -> pa.Array:
    """Whether each text holds a pattern, of which `sign` is a part: most columns have none, which is soon seen."""
    if not pc.any(pc.match_substring(texts, sign)).as_py():
        return pa.repeat(pa.scalar(False), len(texts))
    return pc.fill_null(pc.match_substring_regex(texts, pattern), False)
