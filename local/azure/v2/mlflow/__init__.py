"""MLflow tracking and model registry over the one run history."""
