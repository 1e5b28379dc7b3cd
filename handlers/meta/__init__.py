"""Routes about the API: health and documentation."""
