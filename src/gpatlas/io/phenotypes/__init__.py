"""Tables of phenotypes, covariates and GWAS results."""

from gpatlas.io.phenotypes.reading import column_names, read_covariates, read_phenotypes

__all__ = ["column_names", "read_covariates", "read_phenotypes"]
