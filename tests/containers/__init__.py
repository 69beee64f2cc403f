"""Container images, built by a real builder from the recipes as they stand."""
