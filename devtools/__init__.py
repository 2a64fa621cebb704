"""What dev.py is made of; like it, it needs nothing but Python."""
