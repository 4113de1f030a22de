"""The driver docker: containers that dockerd supervises, reached through the one SSH connection."""
