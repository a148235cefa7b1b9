"""A made-up Heroku and a throwaway PostgreSQL, for `db.demo` and for the tests."""
