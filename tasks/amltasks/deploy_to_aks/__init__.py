"""DeployToAks: a model as a service, beside the running one until it has proved itself."""
