"""A local Azure on loopback: Entra, ARM, Azure ML and blobs, under Azure's own host names."""
