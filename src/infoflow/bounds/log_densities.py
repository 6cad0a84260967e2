"""Bounds whose scores are log densities of a fitted conditional q(y|x) and of a fitted or known marginal."""

from __future__ import annotations

import torch
from torch import Tensor

from infoflow.bounds._scores import expectation_gap, floating, mean_of_rows, prepare, prepare_one, prepare_rows
from infoflow.core.agreement import comparing_settings
from infoflow.core.distributed import Group
from infoflow.core.errors import InvalidArgument
from infoflow.core.settings import Number, check


@comparing_settings
def club(
    positive: Tensor,
    negative: Tensor,
    *,
    include_positive: bool = False,
    mask: Tensor | None = None,
    group: Group = None,
) -> Tensor:
    """Contrastive log-ratio upper bound (CLUB) on the mutual information.

    Parameters
    ----------
    positive : Tensor of shape (..., n)
        Log density log q(y_i|x_i).
    negative : Tensor of shape (..., n, m)
        Log densities log q(y_j|x_i) with j ≠ i.
    include_positive
        Whether to average over all m + 1 candidates, as the published sampled form does; the value is then
        smaller by m/(m + 1).
    mask : Tensor of shape (..., n, m), optional
        Boolean, True where a negative counts.
    group : optional
        Process group over whose processes the means run.

    Returns
    -------
    Tensor
        Nats, of the leading shape (0-d without leading axes).

    Raises
    ------
    InvalidArgument
        If the shapes do not match, there are no negatives, or a row has all of its negatives masked.

    Notes
    -----
    I ≤ E_joint[log q(y|x)] − E_product[log q(y|x)].

    An upper bound only for the true conditional, or a q that is closer to it than to the marginal, and a loose one
    (for a Gaussian ρ²/(1−ρ²) instead of −½ log(1−ρ²)): suitable to reduce information, not to measure it.

    References
    ----------
    Cheng et al. (2020), "CLUB: A contrastive log-ratio upper bound of mutual information", ICML.

    Examples
    --------
    >>> club(torch.zeros(2), torch.full((2, 5), -3.0))
    tensor(3.)
    """
    scores = prepare(positive, negative, mask, group).filled()
    if not include_positive:
        return expectation_gap(scores, scores.positive, scores.negative)
    count = torch.as_tensor(scores.log_count(), dtype=scores.positive.dtype, device=scores.positive.device).exp()
    return scores.mean((scores.positive - scores.row_mean(scores.negative)) * (count / (count + 1)))


@comparing_settings
def l1out(positive: Tensor, negative: Tensor, *, mask: Tensor | None = None, group: Group = None) -> Tensor:
    """Leave-one-out upper bound, whose marginal is a mixture of the other samples' conditionals.

    Parameters
    ----------
    positive : Tensor of shape (..., n)
        Log density log p(y_i|x_i).
    negative : Tensor of shape (..., n, m)
        Log densities log p(y_i|x_j): the y of the row under the conditionals of the others, the reverse of `club`.
    mask : Tensor of shape (..., n, m), optional
        Boolean, True where a negative counts.
    group : optional
        Process group over whose processes the means run.

    Returns
    -------
    Tensor
        Nats, of the leading shape (0-d without leading axes).

    Raises
    ------
    InvalidArgument
        If the shapes do not match, there are no negatives, or a row has all of its negatives masked.

    Notes
    -----
    I ≤ E[log p(y_i|x_i) − log mean_{j≠i} p(y_i|x_j)], for the true conditional.

    References
    ----------
    Poole et al. (2019), "On variational bounds of mutual information", ICML.

    Examples
    --------
    >>> l1out(torch.zeros(2), torch.full((2, 5), -3.0))
    tensor(3.)
    """
    scores = prepare(positive, negative, mask, group)
    return scores.mean(scores.positive - scores.row_log_mean())


@comparing_settings
def barber_agakov(positive: Tensor, entropy: Tensor | float, *, group: Group = None) -> Tensor:
    """Barber and Agakov's lower bound by a decoder q(y|x), for a known entropy of Y.

    Parameters
    ----------
    positive : Tensor of shape (..., n)
        Log density log q(y_i|x_i).
    entropy
        Entropy H(Y) in nats, differential for densities.
    group : optional
        Process group over whose processes the means run.

    Returns
    -------
    Tensor
        Nats, of the leading shape (0-d without leading axes).

    Raises
    ------
    InvalidArgument
        If the shapes do not match.

    Notes
    -----
    I ≥ H(Y) + E_joint[log q(y|x)], tight at the true conditional.

    References
    ----------
    Barber and Agakov (2003), "The IM algorithm: A variational approach to information maximization", NeurIPS.

    Examples
    --------
    >>> barber_agakov(torch.full((4,), -0.5), entropy=0.75)
    tensor(0.2500)
    """
    joint = mean_of_rows(prepare_one(positive, "positive"), group)
    if not isinstance(entropy, Tensor):
        return joint + float(check(entropy, "entropy", Number()))
    entropy = floating(entropy, "entropy")
    if entropy.is_meta and not joint.is_meta:
        raise InvalidArgument("entropy", "a tensor with data", got_text="one on the meta device, which has shapes only")
    return joint + entropy.to(joint)


@comparing_settings
def barber_agakov_upper(positive: Tensor, marginal: Tensor, *, group: Group = None) -> Tensor:
    """Variational upper bound by a model r(y) of the marginal (the rate of a VAE), for a known conditional.

    Parameters
    ----------
    positive : Tensor of shape (..., n)
        Log density log p(y_i|x_i).
    marginal : Tensor of shape (..., n)
        Log density log r(y_i).
    group : optional
        Process group over whose processes the means run.

    Returns
    -------
    Tensor
        Nats, of the leading shape (0-d without leading axes).

    Raises
    ------
    InvalidArgument
        If the shapes do not match.

    Notes
    -----
    I ≤ E_joint[log p(y|x) − log r(y)], tight at r = p(y).

    References
    ----------
    Poole et al. (2019), "On variational bounds of mutual information", ICML. Alemi et al. (2018), "Fixing a broken
    ELBO", ICML.

    Examples
    --------
    >>> barber_agakov_upper(torch.full((4,), -0.5), torch.full((4,), -2.0))
    tensor(1.5000)
    """
    return doe(positive, marginal, group=group)


@comparing_settings
def doe(positive: Tensor, marginal: Tensor, *, group: Group = None) -> Tensor:
    """Difference of entropies, each bounded from above by the cross-entropy of a fitted density.

    Parameters
    ----------
    positive : Tensor of shape (..., n)
        Log density log q(y_i|x_i).
    marginal : Tensor of shape (..., n)
        Log density log r(y_i).
    group : optional
        Process group over whose processes the means run.

    Returns
    -------
    Tensor
        Nats, of the leading shape (0-d without leading axes).

    Raises
    ------
    InvalidArgument
        If the shapes do not match.

    Notes
    -----
    Î = CE(Y) − CE(Y|X) = E[log q(y|x)] − E[log r(y)], with both densities fitted by maximum likelihood (minimize −E
    log q − E log r, not this difference).

    A difference of two upper bounds is not a bound, but it has no ceiling at log n, as every distribution-free lower
    bound has.

    References
    ----------
    McAllester and Stratos (2020), "Formal limitations on the measurement of mutual information", AISTATS.

    Examples
    --------
    >>> doe(torch.full((4,), -0.5), torch.full((4,), -2.0))
    tensor(1.5000)
    """
    positive = prepare_one(positive, "positive")
    return mean_of_rows(positive - prepare_rows(marginal, "marginal", positive), group)
