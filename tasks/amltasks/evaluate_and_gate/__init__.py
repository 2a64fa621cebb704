"""EvaluateAndGate: judge a candidate by written rules; register or promote it if it passes."""
