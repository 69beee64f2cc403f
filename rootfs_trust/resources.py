"""Finds the folders that belong to the package: beside it in a checkout, inside it when it is installed."""

from __future__ import annotations

import os


def resource(name: str) -> str:
    """The path of the folder ``templates`` or ``recipes``."""
    package = os.path.dirname(os.path.abspath(__file__))
    inside = os.path.join(package, name)
    return inside if os.path.isdir(inside) else os.path.join(os.path.dirname(package), name)
