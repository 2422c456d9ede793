"""Breeding schemes, by kind; `gpatlas.priors.mixture.REGISTRY` names them."""
