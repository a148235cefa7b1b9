"""The tasks' flows: one file each, and what only flows use."""
