"""The rootfs: what stands in it, what should, the plan between the two, and the one door to the disk."""
