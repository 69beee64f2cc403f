"""Ways to damage a good tree; see damage.py."""

from tests.unit.audit.damages import anchors, client_reading, device, forms, roots, servers, settings, store_files
from tests.unit.audit.damages.damage import DAMAGES

__all__ = ["DAMAGES", "anchors", "client_reading", "device", "forms", "roots", "servers", "settings", "store_files"]
