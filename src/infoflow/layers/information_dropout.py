"""Information dropout: multiplicative noise whose scale the network computes for every unit of every input."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from infoflow.core.blocks import Module
from infoflow.core.checks import tensors
from infoflow.core.errors import InvalidArgument
from infoflow.core.settings import PositiveFloat, validated
from infoflow.entropies.elementwise import log_normal_divergence, log_uniform_divergence
from infoflow.layers.batch_norm import gathers_statistics
from infoflow.layers.stochastic import Evaluation, StochasticLayer

_NORMS: dict[type[nn.Module], type[nn.Module]] = {
    nn.Linear: nn.BatchNorm1d,
    nn.Conv1d: nn.BatchNorm1d,
    nn.Conv2d: nn.BatchNorm2d,
}
_CONVOLUTIONS: dict[type[nn.Module], Callable[..., Tensor]] = {
    nn.Conv1d: functional.conv1d,
    nn.Conv2d: functional.conv2d,
}

# Activations by the values that they give; other activations cause no warning.
_WITH_ZEROS = (nn.ReLU, nn.ReLU6, nn.Hardsigmoid)
_POSITIVE = (nn.Softplus, nn.Sigmoid)
_SIGNED = (
    *(nn.Identity, nn.Tanh, nn.Hardtanh, nn.LeakyReLU, nn.PReLU, nn.ELU, nn.SELU, nn.CELU, nn.GELU, nn.SiLU),
    *(nn.Mish, nn.Softsign, nn.LogSigmoid, nn.Hardswish, nn.Tanhshrink, nn.Softshrink, nn.Hardshrink),
)


class InformationDropout(StochasticLayer):
    """A linear or convolutional layer that multiplies its activation by noise with a scale that depends on the input.

    Parameters
    ----------
    host
        An nn.Linear, nn.Conv1d or nn.Conv2d; any module if `branch` is given.
    prior
        Prior of the noisy activation: "log-uniform", which fits ReLU, or "log-normal", which fits Softplus.
    max_alpha
        Range of α. The default is the paper's.
    branch
        Module that computes the scale of the noise; by default a layer like the host, with a bias.
    norm
        Whether the host's output is normalized over the batch, or a module that normalizes it. The branch is not
        normalized.
    activation
        Activation; by default ReLU or Softplus, as fits the prior.
    min_alpha
        Smallest α.
    mean_correction
        Whether the mean of the noise is 1.
    evaluation
        Noise in evaluation mode: "deterministic" (off), "mean" (its mean) or "sampled" (on).

    Raises
    ------
    InvalidArgument
        If an argument is invalid; in a call if branch and host give different shapes.

    Notes
    -----
        f = activation(norm(host(x))),   α = min_alpha + max_alpha sigmoid(branch(x)),   z = f exp(α n),   n ~ N(0, 1)

    `information_cost` is the KL of z given x from the prior, in nats. With α₀ = min_alpha + max_alpha it is
    −log(α/α₀) per unit for "log-uniform", 0 at the largest α, and ½ [(α/σ₁)² + (log f − μ₁)²/σ₁² − 1] + log(σ₁/α) for
    "log-normal", with learned μ₁ and σ₁ (initially 0 and 1), one pair for the layer. Inputs and outputs are the host's:
    (n, ..., units) for linear, (n, units, places...) for convolutional layers.

    α is the log standard deviation of the noise, so exp(αn) has variance (e^{α²} − 1)e^{α²} (1.03 for 0.7) and mean
    e^{α²/2} (1.28 for 0.7), where the paper states 1; with `mean_correction` the noise is exp(αn − α²/2), whose mean is
    1, and the KL is that of it. A unit that is 0 after ReLU stays 0 whatever the noise, but its cost counts.

    Without noise in evaluation mode the statistics of batch normalization must be re-estimated by
    `reestimate_batch_norm`. Under autocast α and the KL stay in float32. The constructor warns of a prior that does not
    fit the activation.

    References
    ----------
    Achille and Soatto (2018), Information dropout, TPAMI 40(12), propositions 2 and 3, with corrected formulas.

    Examples
    --------
    >>> _ = torch.manual_seed(0)
    >>> layer = InformationDropout(nn.Conv2d(3, 8, 3), norm=True)
    >>> layer(torch.randn(5, 3, 8, 8)).shape, layer.divergence().shape
    (torch.Size([5, 8, 6, 6]), torch.Size([5, 8, 6, 6]))
    """

    @validated
    def __init__(
        self,
        host: Module,
        prior: Literal["log-uniform", "log-normal"] = "log-uniform",
        max_alpha: PositiveFloat = 0.7,
        *,
        branch: Module | None = None,
        norm: bool | Module = False,
        activation: Module | None = None,
        min_alpha: PositiveFloat = 0.001,
        mean_correction: bool = False,
        evaluation: Evaluation = "deterministic",
    ) -> None:
        super().__init__(evaluation)
        self.host, self.prior = host, prior
        self.max_alpha, self.min_alpha, self.mean_correction = max_alpha, min_alpha, mean_correction
        self.branch = _branch_like(host) if branch is None else branch
        self.norm = _norm_for(host) if norm is True else norm if isinstance(norm, nn.Module) else nn.Identity()
        if activation is None:
            activation = nn.ReLU() if prior == "log-uniform" else nn.Softplus()
        self.activation = activation
        self._among_batch_norm = gathers_statistics(self.norm)
        _warn_of_misfit(prior, activation)
        if prior == "log-normal":
            like = next(self.branch.parameters(), torch.zeros(()))
            self.prior_mean = nn.Parameter(like.new_zeros(()))
            self.prior_log_std = nn.Parameter(like.new_zeros(()))
        self._units_last = isinstance(host, nn.Linear)

    @property
    def noisiest(self) -> float:
        """The largest α, α₀ = min_alpha + max_alpha."""
        return self.min_alpha + self.max_alpha

    def forward(self, x: Tensor) -> Tensor:
        """Compute the activation with noise, or without as `evaluation` states, of the host's shape and dtype.

        Parameters
        ----------
        x : Tensor of shape (n, ...)
            Inputs.
        """
        tensors(x=x)
        noisy = self._begin()
        features, size = self._host_and_branch(x)
        f: Tensor = self.activation(self.norm(features))
        if size.shape != f.shape:
            raise InvalidArgument("the output of branch", f"of the host's shape {tuple(f.shape)}", size)
        wide = torch.float32 if size.dtype in (torch.float16, torch.bfloat16) else size.dtype
        alpha = self.min_alpha + self.max_alpha * torch.sigmoid(size.to(wide))
        # With the prior's parameters, which inside functional_call are not those of the module.
        self._keep(f, alpha, *((self.prior_mean, self.prior_log_std) if self.prior == "log-normal" else ()))
        if noisy:
            exponent = alpha * torch.randn_like(alpha)
            if self.mean_correction:
                exponent = exponent - alpha.square() / 2
            return f * exponent.exp().to(f.dtype)
        if self.evaluation == "mean" and not self.mean_correction:
            return f * (alpha.square() / 2).exp().to(f.dtype)
        return f

    def _host_and_branch(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return self.host(x), self.branch(x)

    def _divergence(self, *kept: Tensor) -> Tensor:
        f, alpha, *prior = kept
        if self.prior == "log-uniform":
            cost = log_uniform_divergence(alpha, self.noisiest)
        else:
            mean, std = prior[0].to(alpha), prior[1].to(alpha).exp()
            if self.mean_correction:  # log z is centered at log f − α²/2
                mean = mean + alpha.square() / 2
            cost = log_normal_divergence(f.to(alpha), alpha, mean, std)
        return cost.movedim(-1, 1) if self._units_last else cost

    def extra_repr(self) -> str:
        return f"prior={self.prior!r}, max_alpha={self.max_alpha:g}, evaluation={self.evaluation!r}"


def _branch_like(host: nn.Module) -> nn.Module:
    """A layer of the host's configuration with its own parameters and a bias."""
    if type(host) not in _NORMS:
        raise InvalidArgument("host", "nn.Linear, nn.Conv1d or nn.Conv2d where branch is not given", host)
    branch = copy.deepcopy(host)
    if getattr(branch, "bias", None) is None:
        weight = branch.weight
        assert isinstance(weight, Tensor)
        branch.bias = nn.Parameter(weight.new_zeros(weight.shape[0]))
    reset: Any = branch.reset_parameters
    reset()
    return branch


def _norm_for(host: nn.Module) -> nn.Module:
    if type(host) not in _NORMS:
        wanted = "nn.Linear, nn.Conv1d or nn.Conv2d where norm is True"
        raise InvalidArgument("host", wanted, host, remedy="Give norm as a module.")
    weight: Any = host.weight
    return _NORMS[type(host)](weight.shape[0], device=weight.device, dtype=weight.dtype)


def _warn_of_misfit(prior: str, activation: nn.Module) -> None:
    name = type(activation).__name__
    if prior == "log-normal" and isinstance(activation, _WITH_ZEROS):
        trouble = "gives zeros, which have no density under a log-normal prior; use Softplus, or prior='log-uniform'"
    elif prior == "log-uniform" and isinstance(activation, _POSITIVE):
        trouble = "gives no zeros, so the log-uniform prior leaves its scale free; use ReLU, or prior='log-normal'"
    # ReLU6 is a Hardtanh by inheritance.
    elif isinstance(activation, _SIGNED) and not isinstance(activation, _WITH_ZEROS):
        trouble = "gives values of both signs, but both priors are over positive ones; use ReLU or Softplus"
    else:
        return
    warnings.warn(f"prior {prior!r} does not fit the activation: {name} {trouble}", stacklevel=4)
