"""What a tree trusts as a bill of materials, for machines."""
