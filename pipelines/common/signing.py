"""One way to write a value as JSON bytes, so that hashes and signatures over it can be checked in any language.

It is RFC 8785, the JSON Canonicalization Scheme. Lists published before were hashed and signed over Python's own sorted
JSON, which writes some numbers otherwise (1.0 for 1); they can still be checked.
"""

import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from typing import Any

import rfc8785


def canonical_json(value: Any) -> bytes:
    """JSON as RFC 8785 has it, as UTF-8."""
    return rfc8785.dumps(value)


def sha256(content: bytes) -> str:
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def content_sha256(facts: Mapping[str, Any], file_sha256s: Mapping[str, str]) -> str:
    """What an approval is bound to: hash of a list's facts and of its files' hashes."""
    return sha256(canonical_json({"facts": facts, "files": file_sha256s}))


def is_content_sha256(claimed: str, facts: Mapping[str, Any], file_sha256s: Mapping[str, str]) -> bool:
    """Whether a list's content has this hash, by RFC 8785 or as lists were hashed before."""
    content = {"facts": facts, "files": file_sha256s}
    return claimed in (sha256(write(content)) for write in (canonical_json, _former_json))


def sign(manifest: Mapping[str, Any], key: str) -> str:
    """HMAC-SHA256 of a manifest's canonical JSON without its field `hmac`, in hexadecimal."""
    return _hmac(manifest, key, canonical_json)


def is_signed(manifest: Mapping[str, Any], key: str) -> bool:
    """Whether a manifest's field `hmac` is its signature, by RFC 8785 or as lists were signed before."""
    claimed = str(manifest["hmac"])
    return any(hmac.compare_digest(claimed, _hmac(manifest, key, write)) for write in (canonical_json, _former_json))


def _hmac(manifest: Mapping[str, Any], key: str, write: Callable[[Any], bytes]) -> str:
    unsigned = {name: value for name, value in manifest.items() if name != "hmac"}
    return hmac.new(key.encode(), write(unsigned), hashlib.sha256).hexdigest()


def _former_json(value: Any) -> bytes:
    """How lists were written for their hash and signature before RFC 8785."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()
