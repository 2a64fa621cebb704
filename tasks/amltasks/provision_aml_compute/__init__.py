"""ProvisionAmlCompute: a compute cluster by name, created or found fit to be reused."""
