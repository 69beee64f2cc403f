"""What the caller gives: files and folders of certificates, and rootfs-trust.toml. Read here, judged in store."""
