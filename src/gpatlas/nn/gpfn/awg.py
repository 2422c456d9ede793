"""AWG, amortised weighted GBLUP: rounds of exact genomic prediction, between which a network weighs the markers.

Round 0 is GBLUP with its heritability integrated out. Every further round reads the last one's statistics of each
marker and changes the markers' prior variances d; its kernel is Z diag(d) Z', and its solve is exact again. Gaussian
kernels on the first and the last weights stand beside the rounds. All are averaged with weights from their evidence and
a gate that sees what distinguishes the population; a network that was never trained is GBLUP.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from gpatlas.errors import ConfigError, did_you_mean
from gpatlas.nn.gpfn.fixed import project, project_cross, project_kernel
from gpatlas.nn.gpfn.kernels import gaussian, weighted_kernel, weighted_length
from gpatlas.nn.gpfn.markers import MarkerNetwork, linkage, marker_statistics
from gpatlas.nn.gpfn.population import Population
from gpatlas.nn.gpfn.posterior import UNIFORM_H2, Posterior, Spectrum
from gpatlas.nn.gpfn.prediction import OUTPUTS, BarDistribution, Prediction, normal_log_density
from gpatlas.nn.gpfn.summary import N_SUMMARY, summarise

_OF_EXPERT = 3  # numbers that the gate sees of each expert
_MOST_CHANGE = 9.0  # of a log prior variance
_MOST_EVIDENCE = 15.0  # nats


@dataclass(frozen=True)
class Expert:
    """One kernel with its posterior: linear in `d`, or Gaussian of a `bandwidth` on the distances that d gives."""

    d: Tensor
    bandwidth: float | None
    scale: Tensor
    kernel_means: Tensor | None
    posterior: Posterior


@dataclass(frozen=True)
class Conditioned:
    """What the network knows of a population after its context."""

    population: Population
    experts: tuple[Expert, ...]
    weights: Tensor
    hidden: Tensor
    noise: Tensor

    @property
    def marker_weights(self) -> Tensor:
        """Prior variances of the last round, relative to their mean over the markers that vary, `(B, M)`."""
        last = next(expert for expert in reversed(self.experts) if expert.bandwidth is None)
        count = (last.d > 0).sum(1, keepdim=True)
        return last.d * count / last.d.sum(1, keepdim=True).clamp(min=1e-30)


class AWG(nn.Module):
    """Amortised weighted GBLUP.

    Parameters
    ----------
    n_rounds
        Rounds after GBLUP.
    channels
        Width of the marker-wise networks.
    hidden
        Width of gate and calibration.
    bandwidths, last_bandwidths
        Gaussian kernels on equal weights, and on those of the last round, in mean squared distances.
    output
        How likely the truth is under a prediction: as a "gaussian", or in the buckets ("bar") of the experts' mixture.
    n_buckets
        Of the bar distribution.
    interval_factor
        Of the standard deviations, found after training (`gpatlas.gpfn.calibration`).
    """

    def __init__(
        self,
        n_rounds: int = 3,
        channels: int = 32,
        hidden: int = 32,
        bandwidths: Sequence[float] = (0.5, 1.5),
        last_bandwidths: Sequence[float] = (0.5,),
        output: str = "gaussian",
        n_buckets: int = 50,
        interval_factor: float = 1.0,
    ):
        super().__init__()
        if output not in OUTPUTS:
            raise ConfigError(f"architecture awg: unknown output '{output}'{did_you_mean(output, OUTPUTS)}")
        self.settings: dict[str, Any] = {
            "architecture": "awg",
            "n_rounds": n_rounds,
            "channels": channels,
            "hidden": hidden,
            "bandwidths": list(bandwidths),
            "last_bandwidths": list(last_bandwidths),
            "output": output,
            "n_buckets": n_buckets,
            "interval_factor": interval_factor,
        }
        self.bars = BarDistribution(n_buckets)
        self.bandwidths, self.last_bandwidths = tuple(bandwidths), tuple(last_bandwidths)
        n_gaussian = len(bandwidths) + len(last_bandwidths)
        n_experts = n_rounds + 1 + n_gaussian
        self.rounds = nn.ModuleList(MarkerNetwork(N_SUMMARY, channels) for _ in range(n_rounds))
        self.log_prior = nn.Parameter(UNIFORM_H2.float().repeat(n_experts, 1))
        self.temperature = nn.Parameter(torch.ones(n_gaussian))
        self.gain = nn.Parameter(torch.cat([torch.ones(n_rounds + 1), torch.zeros(n_gaussian)]))
        self.read = nn.Sequential(
            nn.Linear(N_SUMMARY + _OF_EXPERT * n_experts, 2 * hidden),
            nn.GELU(),
            nn.Linear(2 * hidden, hidden),
            nn.GELU(),
        )
        self.gate = nn.Linear(hidden, n_experts)
        self.error = nn.Linear(hidden, 1)
        self.calibrate = nn.Sequential(nn.Linear(hidden + 4, hidden), nn.GELU(), nn.Linear(hidden, 1))
        for start_at_nothing in (self.gate, self.error, self.calibrate[2]):
            nn.init.zeros_(start_at_nothing.weight)
            nn.init.zeros_(start_at_nothing.bias)

    def forward(self, population: Population, query_BQM: Tensor) -> Prediction:
        """Predict queries from a context."""
        return self.predict(self.condition(population), query_BQM)

    def condition(self, population: Population, shared: dict[int, Spectrum] | None = None) -> Conditioned:
        """Solve all rounds.

        `shared` holds the decompositions of kernels on equal weights, which traits of one population have in common;
        they are put there by the first trait.
        """
        shared = {} if shared is None else shared
        z_BNM, y_BN, c_B = population.z, population.y, population.contrasts
        variance_BM, present_BM, d_BM = population.markers()
        r2_BMW, z_projected = linkage(z_BNM, population.chromosome).to(y_BN), z_BNM
        if population.fixed.shape[2] > 1:
            z_projected = project(z_BNM, population.fixed.to(z_BNM))
        raw_BNN = weighted_kernel(z_BNM, z_BNM, d_BM)
        experts = [self._expert(population, raw_BNN, d_BM, 0, shared=shared)]
        equal, log_d_BM, summaries = raw_BNN, torch.zeros_like(d_BM), []
        for number, network in enumerate(self.rounds):
            last = experts[-1]
            with torch.no_grad():
                statistics, quantiles = marker_statistics(
                    z_projected, y_BN, variance_BM, present_BM, last.d / last.scale[:, None], last.posterior, c_B
                )
                summaries.append(summarise(population, last.posterior, present_BM, r2_BMW, quantiles))
            change_BM = network(statistics.to(self.gain), r2_BMW, present_BM, summaries[-1])
            log_d_BM = (log_d_BM + change_BM).clamp(-_MOST_CHANGE, _MOST_CHANGE)
            d_BM = present_BM * torch.exp(log_d_BM)
            d_BM = d_BM / (d_BM * variance_BM).sum(1, keepdim=True).clamp(min=1e-30)
            raw_BNN = weighted_kernel(z_BNM, z_BNM, d_BM)
            experts.append(self._expert(population, raw_BNN, d_BM, number + 1))
        for bandwidth in self.bandwidths:
            experts.append(self._expert(population, equal, experts[0].d, len(experts), bandwidth, shared))
        for bandwidth in self.last_bandwidths:
            experts.append(self._expert(population, raw_BNN, d_BM, len(experts), bandwidth))
        return self._mixed(population, tuple(experts), summaries[0])

    def predict(self, conditioned: Conditioned, query_BQM: Tensor) -> Prediction:
        """Predict queries, genotypes less the context's mean `(B, Q, M)`."""
        population, n_linear = conditioned.population, len(self.rounds) + 1
        means, variances, linear = [], [], {}
        for expert in conditioned.experts:
            key = id(expert.d)
            if key not in linear:
                linear[key] = (
                    weighted_kernel(query_BQM, population.z, expert.d),
                    weighted_length(query_BQM, expert.d),
                )
            cross, own = self._between(population, expert, *linear[key])
            mean, variance = expert.posterior.predict(cross, own, population.n)
            means.append(mean)
            variances.append(variance)
        m_BQE, v_BQE, w_BE = torch.stack(means, 2), torch.stack(variances, 2), conditioned.weights
        mean_BQ = torch.einsum("bqe,be->bq", m_BQE, w_BE)
        between_BQ = torch.einsum("bqe,be->bq", (m_BQE - mean_BQ[..., None]).square(), w_BE)
        within_BQ = torch.einsum("bqe,be->bq", v_BQE, w_BE).clamp(min=1e-6)
        own_BQ = linear[id(conditioned.experts[0].d)][1]
        seen = [within_BQ, between_BQ, own_BQ, m_BQE[..., n_linear - 1].square()]
        seen_BQ4 = torch.stack([torch.log(value.detach() + 1e-3) for value in seen], 2)
        hidden = conditioned.hidden[:, None].expand(-1, seen_BQ4.shape[1], -1)
        log_factor_BQ = self.calibrate(torch.cat([seen_BQ4, hidden], 2))[..., 0]
        factor_BQ = torch.exp(log_factor_BQ.clamp(-3, 3)) * self.settings["interval_factor"] ** 2
        return Prediction(
            mean_BQ,
            (within_BQ + between_BQ) * factor_BQ,
            conditioned.noise,
            m_BQE,
            v_BQE * factor_BQ[..., None],
            w_BE,
        )

    def log_density(self, predicted: Prediction, value_BQ: Tensor) -> Tensor:
        """Return the log density of genetic values under a prediction, `(B, Q)`."""
        if self.settings["output"] == "bar":
            return self.bars.log_density(self.bars.of_mixture(predicted), value_BQ)
        return normal_log_density(predicted.mean, predicted.variance, value_BQ)

    def _expert(
        self,
        population: Population,
        raw_BNN: Tensor,
        d_BM: Tensor,
        number: int,
        bandwidth: float | None = None,
        shared: dict[int, Spectrum] | None = None,
    ) -> Expert:
        means = None
        if bandwidth is not None:
            length_BN = raw_BNN.diagonal(dim1=1, dim2=2)
            raw_BNN = gaussian(raw_BNN, length_BN, length_BN, bandwidth)
            n_B, mask_BN = population.n, population.mask
            of_row = torch.einsum("bnk,bk->bn", raw_BNN, mask_BN) / n_B[:, None]
            means = torch.cat([of_row, ((of_row * mask_BN).sum(1) / n_B)[:, None]], 1)
        kernel_BNN = project_kernel(raw_BNN, population.fixed, population.mask)
        scale_B = (kernel_BNN.diagonal(dim1=1, dim2=2).sum(1) / population.contrasts).clamp(min=1e-12)
        posterior = Posterior.of(
            kernel_BNN / scale_B[:, None, None],
            population.y,
            population.contrasts,
            self.log_prior[number],
            None if shared is None else shared.get(number),
        )
        if shared is not None:
            shared[number] = posterior.eigenvalues, posterior.basis
        return Expert(d_BM, bandwidth, scale_B, means, posterior)

    @staticmethod
    def _between(population: Population, expert: Expert, cross_BQN: Tensor, own_BQ: Tensor) -> tuple[Tensor, Tensor]:
        """Return the expert's kernel of queries with the context, projected, and with themselves."""
        if expert.bandwidth is not None:
            assert expert.kernel_means is not None
            length_BN = weighted_length(population.z, expert.d)
            cross_BQN = gaussian(cross_BQN, own_BQ, length_BN, expert.bandwidth)
            of_row, of_all = expert.kernel_means[:, :-1], expert.kernel_means[:, -1:]
            of_query = torch.einsum("bqn,bn->bq", cross_BQN, population.mask) / population.n[:, None]
            own_BQ = 1 - 2 * of_query + of_all
            cross_BQN = cross_BQN - of_row[:, None] - of_query[..., None] + of_all[..., None]
        cross_BQN = project_cross(cross_BQN, population.fixed, population.mask)
        return cross_BQN / expert.scale[:, None, None], own_BQ / expert.scale[:, None]

    def _mixed(self, population: Population, experts: tuple[Expert, ...], summary_BS: Tensor) -> Conditioned:
        """Weigh the experts."""
        with torch.no_grad():
            evidence = torch.stack([expert.posterior.log_evidence for expert in experts], 1)
            left_out = [e.posterior.left_out_score(population.y, population.fixed, population.mask) for e in experts]
            left_out_BE = torch.stack(left_out, 1) * population.n[:, None]
            h2_BE = torch.stack([expert.posterior.h2 for expert in experts], 1)
            gaps = [torch.asinh(value - value[:, :1]) for value in (evidence, left_out_BE)]
            seen = torch.cat([summary_BS, *gaps, h2_BE], 1)
        hidden = self.read(seen)
        logit_BE = self.gate(hidden) + self._beside(evidence)
        gain = self.gain + (self.gain.clamp(min=0.0) - self.gain).detach()  # at 0 a gain may still learn to rise
        weight = gain * torch.exp((logit_BE - logit_BE.amax(1, keepdim=True)).clamp(min=-30))
        weights_BE = weight / weight.sum(1, keepdim=True)
        noise_BE = torch.stack([expert.posterior.var_e for expert in experts], 1)
        noise_B = (noise_BE * weights_BE).sum(1) * torch.exp(self.error(hidden)[:, 0].clamp(-3, 3))
        return Conditioned(population, experts, weights_BE, hidden, noise_B)

    def _beside(self, evidence_BE: Tensor) -> Tensor:
        """Return what the evidence says of Gaussian kernels against the linear one of the same weights, `(B, E)`.

        The markers' weights are the same in both, so that nothing was chosen to favour one of them.
        """
        n_linear = len(self.rounds) + 1
        partner = [0] * len(self.bandwidths) + [n_linear - 1] * len(self.last_bandwidths)
        gap = (evidence_BE[:, n_linear:] - evidence_BE[:, partner]).clamp(-_MOST_EVIDENCE, _MOST_EVIDENCE)
        return torch.cat([torch.zeros_like(evidence_BE[:, :n_linear]), self.temperature * gap], 1)
