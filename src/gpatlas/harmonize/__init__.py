"""New genotypes in the order and counted alleles of others: matching by position, alleles and id."""

from gpatlas.harmonize.harmonize import Harmonized, harmonize, harmonized_dataset
from gpatlas.harmonize.variants import Variants

__all__ = ["Harmonized", "Variants", "harmonize", "harmonized_dataset"]
