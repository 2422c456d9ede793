"""Cleaning: what needs no phenotype, done once to a file, and transformers that are fitted to a training fold."""
