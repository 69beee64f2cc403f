"""Settings of the programs on the device that use the trust store: first thin-edge.io's."""
