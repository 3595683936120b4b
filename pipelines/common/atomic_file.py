"""Write a file so that readers see the old one or the new one, never half."""

import json
import os
from pathlib import Path
from typing import Any


def write_text(content: str, target: Path, *, mode: int = 0o666) -> None:
    """Write text; `mode` says who may read it, as far as the process's own mask lets them."""
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{target.name}.{os.getpid()}")
    with open(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w", encoding="utf-8") as file:
        file.write(content)
    partial.replace(target)


def write_json(content: Any, target: Path, *, mode: int = 0o666) -> None:
    """Write JSON, readable and with sorted keys."""
    write_text(json.dumps(content, indent=1, sort_keys=True, default=str) + "\n", target, mode=mode)
