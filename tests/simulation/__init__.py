"""A deterministic simulation: the real code on a model of what AWS documents, driven by one seed."""
