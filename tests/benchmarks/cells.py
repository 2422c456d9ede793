"""The populations that benchmarks are run on."""

from gpatlas.config import ScalingConfig, SimulationSpec


def spec(n_samples: int, n_qtl: int) -> SimulationSpec:
    """One replicate of the scaling experiment: five traits, haploid."""
    config = ScalingConfig(n_samples=(n_samples,), qtl_scaling=(1.0,), replicates=1, models={"rrblup": {}})
    return config.simulation({"n_samples": n_samples, "n_qtl": n_qtl, "heritability": 0.999})
