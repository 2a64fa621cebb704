"""What every service stands on: HTTP, routes, the store, certificates, faults."""
