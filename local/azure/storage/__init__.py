"""Blob storage, datastores and the key vault."""
