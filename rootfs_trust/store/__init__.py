"""The trust store: turns anchors into the files, links and bundles that each distribution's own tool would write."""
