"""Ways to damage a good tree; see damage.py."""

from tests.unit.audit.damages import anchors, device, forms, outputs, settings
from tests.unit.audit.damages.damage import DAMAGES

__all__ = ["DAMAGES", "anchors", "device", "forms", "outputs", "settings"]
