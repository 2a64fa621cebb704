"""Files of predictions: one row for each row of the evaluation set."""
