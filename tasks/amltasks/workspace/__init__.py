"""What a task may ask of Azure ML: the port, and the adapters that honour it."""
