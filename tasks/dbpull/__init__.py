"""dbpull: replace a development database with a Heroku app's latest backup."""

__version__ = "0.1.0"
