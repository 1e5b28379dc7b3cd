"""The table: keys, rows, transactions and queries."""
