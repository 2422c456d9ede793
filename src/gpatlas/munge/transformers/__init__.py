"""scikit-learn transformers of X = [dosage | covariates]; the last `n_covariates` columns are covariates.

They learn from what `fit` is given and from nothing else, so that a pipeline fitted to a training fold leaks nothing.
"""

from gpatlas.munge.transformers.adjust import AdjustForCovariates
from gpatlas.munge.transformers.components import AddPrincipalComponents
from gpatlas.munge.transformers.filters import FrequencyFilter, VIFFilter
from gpatlas.munge.transformers.impute import ImputeGenotypes
from gpatlas.munge.transformers.scale import ScaleGenotypes
from gpatlas.munge.transformers.select import SelectLoci

__all__ = [
    "AddPrincipalComponents",
    "AdjustForCovariates",
    "FrequencyFilter",
    "ImputeGenotypes",
    "ScaleGenotypes",
    "SelectLoci",
    "VIFFilter",
]
