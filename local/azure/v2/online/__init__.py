"""Online endpoints and deployments of v2."""
