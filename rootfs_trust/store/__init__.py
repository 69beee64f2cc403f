"""The trust store: anchors become files, links and bundles, the way each distribution's own tool writes them."""
