"""Reports for people: tables on the terminal, and pages with charts that need nothing else."""
