"""Debian's trust store, and those of the distributions whose tool is derived from Debian's."""

from rootfs_trust.store.debian.layout import DebianStore

__all__ = ["DebianStore"]
