"""Builders of images other than containers, from the recipes as they stand and the page as it is printed."""
