"""An archive into a database: what to restore, in what order, with how many workers."""
