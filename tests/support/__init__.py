"""What tests share: certificates made on the spot, trees, and the real programs."""
