"""PostgreSQL's client programs: find the right version, run, read their complaints."""
