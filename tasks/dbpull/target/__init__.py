"""The database to be replaced: guard, lock, aside, swap, undo."""
