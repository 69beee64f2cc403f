"""Find the data directories of the package: next to it in a checkout, inside it when it is installed."""

from __future__ import annotations

import os


def resource(name: str) -> str:
    """Return the path of the directory ``templates``, ``recipes`` or ``root_data``."""
    package = os.path.dirname(os.path.abspath(__file__))
    inside = os.path.join(package, name)
    return inside if os.path.isdir(inside) else os.path.join(os.path.dirname(package), name)
