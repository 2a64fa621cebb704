"""The port on azureml-core and azureml-pipeline (SDK v1), the only place that imports them."""
