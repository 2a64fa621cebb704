"""Web services as processes, and their way into service."""
