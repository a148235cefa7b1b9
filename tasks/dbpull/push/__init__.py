"""`db.push`: the local database replaces an app's database."""
