"""The sample's pipeline from provisioning to a scored endpoint, on this machine alone."""
