"""Pretraining of perceivers: what genotypes alone teach, and how well it fills in calls that are hidden."""
