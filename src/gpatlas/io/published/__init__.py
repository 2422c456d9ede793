"""The text tables of the published pipeline."""
