"""Opaque names for the codes by which a world keeps its accounts and identifiers: they tell nothing of their bearer."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

_HEX = np.frombuffer(b"0123456789abcdef", dtype=np.uint8)


def mix(codes: np.ndarray, key: int) -> np.ndarray:
    """A keyed bijection of 64-bit codes, `[n] uint64` (SplitMix64's finaliser; Steele, Lea and Flood 2014)."""
    with np.errstate(over="ignore"):
        x = codes.astype(np.uint64) + np.uint64((key * 0x9E3779B97F4A7C15) % 2**64)
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(x ^ (x >> np.uint64(31)))


def uniform(codes: np.ndarray, key: int) -> np.ndarray:
    """A number in 0..1 for each code, always the same, `[n] float64`."""
    return (mix(codes, key) >> np.uint64(11)).astype(np.float64) * 2.0**-53


def opaque_ids(prefix: str, codes: np.ndarray, key: int) -> pa.Array:
    """`prefix` and 16 hexadecimal digits for each code, null for a negative one."""
    digits = mix(codes, key).astype(">u8").view(np.uint8).reshape(-1, 8)  # [n, 8]
    text = np.empty((codes.size, len(prefix) + 16), dtype=np.uint8)
    text[:, : len(prefix)] = np.frombuffer(prefix.encode(), dtype=np.uint8)
    text[:, len(prefix) :: 2] = _HEX[digits >> 4]
    text[:, len(prefix) + 1 :: 2] = _HEX[digits & 15]
    offsets = np.arange(codes.size + 1, dtype=np.int32) * text.shape[1]
    names = pa.StringArray.from_buffers(codes.size, pa.py_buffer(offsets), pa.py_buffer(text.tobytes()))
    return names if (codes >= 0).all() else pc.if_else(pa.array(codes >= 0), names, None)
