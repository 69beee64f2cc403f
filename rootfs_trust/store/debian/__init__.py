"""Debian's trust store, and those of the distributions whose tool descends from Debian's."""

from rootfs_trust.store.debian.layout import DebianStore

__all__ = ["DebianStore"]
