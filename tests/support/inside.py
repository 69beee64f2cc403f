"""Writing below a directory that holds links: nothing is written where a link leads out of it."""

from __future__ import annotations

from pathlib import Path


def write_inside(root: Path, name: str, content: bytes) -> Path:
    """Write the file ``name`` below ``root``, and its directories. AssertionError for a path that leads out of it."""
    path = root / name
    assert path.resolve().is_relative_to(root.resolve()), f"{name} leads to {path.resolve()}, out of {root}"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path
