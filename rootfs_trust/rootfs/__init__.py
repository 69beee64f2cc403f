"""Root filesystems: file types, the plan of changes, and the only code that reads and writes them on disk."""
