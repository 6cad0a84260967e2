"""Information dropout: multiplicative noise whose size the network chooses for every unit of every input."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from infoflow.core.checks import choice, flag, positive
from infoflow.core.errors import InvalidArgument
from infoflow.entropies.elementwise import log_normal_divergence, log_uniform_divergence
from infoflow.layers.batch_norm import gathers_statistics
from infoflow.layers.stochastic import StochasticLayer

PRIORS = ("log-uniform", "log-normal")

_NORMS: dict[type[nn.Module], type[nn.Module]] = {
    nn.Linear: nn.BatchNorm1d,
    nn.Conv1d: nn.BatchNorm1d,
    nn.Conv2d: nn.BatchNorm2d,
}
_CONVOLUTIONS: dict[type[nn.Module], Callable[..., Tensor]] = {
    nn.Conv1d: functional.conv1d,
    nn.Conv2d: functional.conv2d,
}

# Activations by the values that they give; of others nothing is known, and nothing is said.
_WITH_ZEROS = (nn.ReLU, nn.ReLU6, nn.Hardsigmoid)
_POSITIVE = (nn.Softplus, nn.Sigmoid)
_SIGNED = (
    *(nn.Identity, nn.Tanh, nn.Hardtanh, nn.LeakyReLU, nn.PReLU, nn.ELU, nn.SELU, nn.CELU, nn.GELU, nn.SiLU),
    *(nn.Mish, nn.Softsign, nn.LogSigmoid, nn.Hardswish, nn.Tanhshrink, nn.Softshrink, nn.Hardshrink),
)


class InformationDropout(StochasticLayer):
    """A linear or convolutional layer that multiplies its activation by noise, whose size it chooses for each input:

        f = activation(norm(host(x))),   α = min_alpha + max_alpha sigmoid(branch(x)),   z = f exp(α n),   n ~ N(0, 1)

    `information_cost` then tells the KL of z given x from the prior, in nats: with α₀ = min_alpha + max_alpha,

    - prior "log-uniform": −log(α/α₀) for each unit, 0 at the noisiest; made for ReLU.
    - prior "log-normal": ½ [(α/σ₁)² + (log f − μ₁)²/σ₁² − 1] + log(σ₁/α), with learned μ₁, σ₁ (first 0 and 1), one pair
      for the layer; made for Softplus.

    `host` is an nn.Linear, nn.Conv1d or nn.Conv2d (or any module, if `branch` is given), `branch` one like it with a
    bias, unless given. `norm=True` normalizes over the batch (the branch is not normalized), or give a module.
    `activation` is ReLU or Softplus by the prior, unless given. Inputs and outputs are the host's: (n, ..., units) for
    linear, (n, units, places...) for convolutional layers.

    α is the log-standard-deviation of the noise, so ε = exp(αn) has variance (e^{α²} − 1)e^{α²} (1.03 at .7) and mean
    e^{α²/2} (1.28 at .7), though the paper says 1; `mean_correction` takes exp(αn − α²/2), whose mean is 1, and the KL
    of that. A unit that ReLU has put out stays 0 whatever the noise, but counts like one that is on.

    In evaluation mode the noise is off, or as `evaluation` says (see `StochasticLayer`); batch normalization has to be
    re-estimated then, `reestimate_batch_norm`. Under autocast α and the KL stay in float32.

    Raises InvalidArgument or UnknownName for arguments that it can't use, and in forward where branch and host differ
    in shape. Warns of a prior that doesn't fit the activation.
    (Achille and Soatto 2018, TPAMI 40(12), Propositions 2 and 3, with the formulas mended.)

    >>> _ = torch.manual_seed(0)
    >>> layer = InformationDropout(nn.Conv2d(3, 8, 3), norm=True)
    >>> layer(torch.randn(5, 3, 8, 8)).shape, layer.divergence().shape
    (torch.Size([5, 8, 6, 6]), torch.Size([5, 8, 6, 6]))
    """

    def __init__(
        self,
        host: nn.Module,
        prior: str = "log-uniform",
        max_alpha: float = 0.7,
        *,
        branch: nn.Module | None = None,
        norm: bool | nn.Module = False,
        activation: nn.Module | None = None,
        min_alpha: float = 0.001,
        mean_correction: bool = False,
        evaluation: str = "deterministic",
    ) -> None:
        super().__init__(evaluation)
        if not isinstance(host, nn.Module):
            raise InvalidArgument(f"host is {type(host).__name__}; want nn.Linear, nn.Conv1d, nn.Conv2d or a module")
        self.prior = choice(prior, "prior", PRIORS)
        self.max_alpha = positive(max_alpha, "max_alpha")
        self.min_alpha = positive(min_alpha, "min_alpha")
        self.mean_correction = flag(mean_correction, "mean_correction")
        self.host = host
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
        """α₀ = min_alpha + max_alpha, the largest that α can be."""
        return self.min_alpha + self.max_alpha

    def forward(self, x: Tensor) -> Tensor:
        """The activation with noise (or as `evaluation` says), of the host's shape and dtype."""
        noisy = self._begin()
        features, size = self._host_and_branch(x)
        f: Tensor = self.activation(self.norm(features))
        if size.shape != f.shape:
            raise InvalidArgument(
                f"branch gives shape {tuple(size.shape)}, but host, norm and activation {tuple(f.shape)}; want the same"
            )
        wide = torch.float32 if size.dtype in (torch.float16, torch.bfloat16) else size.dtype
        alpha = self.min_alpha + self.max_alpha * torch.sigmoid(size.to(wide))
        # The prior's parameters too: inside functional_call they are others than later.
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
    """A layer of the host's configuration with a bias and parameters of its own."""
    if type(host) not in _NORMS:
        raise InvalidArgument(
            f"host is {type(host).__name__}, of which no branch can be made; want nn.Linear, nn.Conv1d or nn.Conv2d, "
            "or give branch="
        )
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
        raise InvalidArgument(f"host is {type(host).__name__}, for which no norm is known; give norm= as a module")
    weight: Any = host.weight
    return _NORMS[type(host)](weight.shape[0], device=weight.device, dtype=weight.dtype)


def _warn_of_misfit(prior: str, activation: nn.Module) -> None:
    name = type(activation).__name__
    if prior == "log-normal" and isinstance(activation, _WITH_ZEROS):
        trouble = "gives zeros, which a log-normal prior can't have; want Softplus, or prior='log-uniform'"
    elif prior == "log-uniform" and isinstance(activation, _POSITIVE):
        trouble = "gives no zeros, so the log-uniform prior leaves its scale free; want ReLU, or prior='log-normal'"
    # ReLU6 is a Hardtanh by inheritance.
    elif isinstance(activation, _SIGNED) and not isinstance(activation, _WITH_ZEROS):
        trouble = "gives values of both signs, but both priors are over positive ones; want ReLU or Softplus"
    else:
        return
    warnings.warn(f"prior {prior!r} doesn't fit the activation: {name} {trouble}", stacklevel=3)
