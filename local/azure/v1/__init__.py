"""The v1 plane: what azureml-sdk asks for its pipelines, scripts and services."""
