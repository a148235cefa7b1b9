"""The way back: the local database replaces an app's."""
