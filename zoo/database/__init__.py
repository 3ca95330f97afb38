"""The zoo's tables, their migrations, and transactions on SQLite or PostgreSQL."""
