"""A machine reached over SSH: its programs, and how a dump gets there."""
