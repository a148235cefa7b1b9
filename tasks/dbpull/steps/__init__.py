"""The steps of a pull: each gathers, acts and tells; the tasks in db.py chain them."""
