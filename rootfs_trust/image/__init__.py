"""Root filesystems that are not directories: layers of container images, archives, and file system images."""
