"""Found by Django by their files' names."""
