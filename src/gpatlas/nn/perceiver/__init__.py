"""Perceiver: a network that learns the structure of a genome from genotypes alone, and then predicts traits."""

from gpatlas.nn.perceiver.layout import Layout
from gpatlas.nn.perceiver.networks import make_network, network_of

__all__ = ["Layout", "make_network", "network_of"]
