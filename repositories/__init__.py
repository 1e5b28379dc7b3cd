"""Access to the DynamoDB table: keys, rows, transactions and queries."""
