"""File system images (ext, squashfs, erofs) and disk images with partitions, read in place: no mount, no root."""
