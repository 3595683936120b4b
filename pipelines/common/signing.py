"""One way to write a value as JSON bytes, so that hashes and signatures over it can be checked by anybody."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any


def canonical_json(value: Any) -> bytes:
    """JSON with sorted keys, no blanks and no escapes that need not be, as UTF-8."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def sha256(content: bytes) -> str:
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def content_sha256(facts: Mapping[str, Any], file_sha256s: Mapping[str, str]) -> str:
    """What an approval is bound to: hash of a list's facts and of its files' hashes."""
    return sha256(canonical_json({"facts": facts, "files": file_sha256s}))


def sign(manifest: Mapping[str, Any], key: str) -> str:
    """HMAC-SHA256 of a manifest's canonical JSON without its field `hmac`, in hexadecimal."""
    unsigned = {name: value for name, value in manifest.items() if name != "hmac"}
    return hmac.new(key.encode(), canonical_json(unsigned), hashlib.sha256).hexdigest()
