"""Trees that are not on the disk: layers of container images, and tar files of root filesystems."""
