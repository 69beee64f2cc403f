"""rootfs-trust: an image should trust its cloud before it boots."""

__version__ = "0.1.0"
