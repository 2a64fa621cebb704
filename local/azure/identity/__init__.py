"""Entra ID: who signs in, with what proof, and what they may do."""
