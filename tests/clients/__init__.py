"""What ``list --client`` says of random trees, beside the real clients in a chroot of each."""
