"""What people and later stages read of a task's work: markdown summaries and eval_info.json."""
