"""The docs are held to what there is."""
