"""The commands, which Django finds by their files' names."""
