"""dbpull: replace a development database with a Heroku app's latest backup."""
