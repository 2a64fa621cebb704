"""The workspace's models and environments."""
