"""Bounds whose scores are log densities: of a fitted conditional q(y|x), and of a fitted or known marginal."""

from __future__ import annotations

import torch
from torch import Tensor

from infoflow.bounds._scores import expectation_gap, mean_of_rows, prepare, prepare_one, prepare_rows
from infoflow.core.distributed import Group


def club(
    positive: Tensor,
    negative: Tensor,
    *,
    include_positive: bool = False,
    mask: Tensor | None = None,
    group: Group = None,
) -> Tensor:
    """CLUB, the contrastive log-ratio upper bound.

        I ≤ E_joint[log q(y|x)] − E_product[log q(y|x)]

    `positive` (..., n) holds log q(y_i|x_i), `negative` (..., n, m) log q(y_j|x_i) with j ≠ i. An upper bound
    only for the true conditional, or a q closer to it than to the marginal; even then a loose one (for a
    Gaussian ρ²/(1−ρ²) instead of −½ log(1−ρ²)): good to push information down, poor to measure it.
    `include_positive=True` averages over all m + 1 candidates, i = j too, as the paper's sampled form does:
    the value shrinks by m/(m + 1). The default leaves it out.

    `mask`, `group`, result and errors as in `donsker_varadhan`. Cheng et al. (2020).

    >>> club(torch.zeros(2), torch.full((2, 5), -3.0))
    tensor(3.)
    """
    scores = prepare(positive, negative, mask, group).filled()
    if not include_positive:
        return expectation_gap(scores, scores.positive, scores.negative)
    count = torch.as_tensor(scores.log_count, dtype=scores.positive.dtype, device=scores.positive.device).exp()
    return scores.mean((scores.positive - scores.row_mean(scores.negative)) * (count / (count + 1)))


def l1out(positive: Tensor, negative: Tensor, *, mask: Tensor | None = None, group: Group = None) -> Tensor:
    """The leave-one-out upper bound: the marginal is a mixture of the other samples' conditionals.

        I ≤ E[log p(y_i|x_i) − log mean_{j≠i} p(y_i|x_j)]

    `positive` (..., n) holds log p(y_i|x_i); `negative` (..., n, m) holds log p(*y_i|x_j*): the y of the row
    under the conditionals of the others (unlike in `club`, the direction matters). An upper bound for the
    true conditional; at most the loss of a mixture with m components. `mask`, `group`, result and errors as
    in `donsker_varadhan`. Poole et al. (2019).

    >>> l1out(torch.zeros(2), torch.full((2, 5), -3.0))
    tensor(3.)
    """
    scores = prepare(positive, negative, mask, group)
    return scores.mean(scores.positive - scores.row_log_mean())


def barber_agakov(positive: Tensor, entropy: Tensor | float, *, group: Group = None) -> Tensor:
    """Barber and Agakov's lower bound by a decoder q(y|x), when the entropy of Y is known.

        I ≥ H(Y) + E_joint[log q(y|x)]

    `positive` (..., n) holds log q(y_i|x_i), `entropy` H(Y) in nats (differential for densities). Tight at
    the true conditional. Result, `group` and errors as in `donsker_varadhan`. Barber and Agakov (2003).

    >>> barber_agakov(torch.full((4,), -0.5), entropy=0.75)
    tensor(0.2500)
    """
    joint = mean_of_rows(prepare_one(positive, "positive"), group)
    return joint + torch.as_tensor(entropy, dtype=joint.dtype, device=joint.device)


def barber_agakov_upper(positive: Tensor, marginal: Tensor, *, group: Group = None) -> Tensor:
    """The variational upper bound by a model r(y) of the marginal (the rate of a VAE), for a *known*
    conditional.

        I ≤ E_joint[log p(y|x) − log r(y)]

    `positive` (..., n) holds log p(y_i|x_i), `marginal` (..., n) log r(y_i). Tight at r = p(y).
    Result, `group` and errors as in `donsker_varadhan`. Poole et al. (2019); Alemi et al. (2018).

    >>> barber_agakov_upper(torch.full((4,), -0.5), torch.full((4,), -2.0))
    tensor(1.5000)
    """
    return doe(positive, marginal, group=group)


def doe(positive: Tensor, marginal: Tensor, *, group: Group = None) -> Tensor:
    """Difference of entropies, each an upper bound by the cross-entropy of a fitted density.

        Î = CE(Y) − CE(Y|X) = E[log q(y|x)] − E[log r(y)]

    `positive` (..., n) holds log q(y_i|x_i), `marginal` (..., n) log r(y_i), both fitted by maximum
    likelihood (minimize −E log q − E log r, not this difference). A difference of two upper bounds is itself
    no bound, but it is not capped at log n as every distribution-free lower bound is. Result, `group` and
    errors as in `donsker_varadhan`. McAllester and Stratos (2020).

    >>> doe(torch.full((4,), -0.5), torch.full((4,), -2.0))
    tensor(1.5000)
    """
    positive = prepare_one(positive, "positive")
    return mean_of_rows(positive - prepare_rows(marginal, "marginal", positive), group)
