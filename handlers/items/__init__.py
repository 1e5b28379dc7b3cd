"""Items of the catalogue."""
