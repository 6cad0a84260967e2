"""InfoNCE over an epoch: the mean of the bounds of its batches."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from infoflow.bounds import infonce
from infoflow.core.distributed import Group
from infoflow.metrics.metric import Metric


class ContrastiveInformation(Metric):
    """InfoNCE bound on mutual information, averaged over the samples of all batches.

    Parameters
    ----------
    group
        Process group over whose processes `compute` adds the sums.

    Raises
    ------
    InvalidArgument
        If the shapes of scores do not match.

    Notes
    -----
    `update(positive, negative)` takes scores (n,) of the pairs and (n, m) of their negatives, as a critic's `scores`
    returns them. The bound of every batch is at most log(m + 1), and so is the mean: `ceiling` is the mean of
    log(m + 1). A value close to it states only that the information is at least that large; larger batches raise it.

    References
    ----------
    van den Oord et al. (2018), Representation learning with contrastive predictive coding, arXiv 1807.03748, eq. 4.

    Examples
    --------
    >>> metric = ContrastiveInformation()
    >>> metric.update(torch.full((4,), 9.0), torch.zeros(4, 3))
    >>> metric.compute(), round(metric.ceiling, 4)  # log 4 is the ceiling of three negatives
    (tensor(1.3859), 1.3863)
    """

    def __init__(self, *, group: Group = None) -> None:
        super().__init__(dict.fromkeys(("samples", "nats", "ceilings"), ()), group)

    @property
    def ceiling(self) -> float:
        """Largest value in nats that these numbers of negatives allow, of this process."""
        return float(self.get_buffer("ceilings") / self.get_buffer("samples").clamp_min(1))

    def batch_sums(self, *batch: Tensor) -> dict[str, Tensor]:
        """Add up samples, their nats, and their ceilings."""
        positive, negative = (each.detach().double() for each in batch)
        nats = infonce(positive, negative)
        n = torch.tensor(float(positive.numel()), dtype=torch.float64, device=positive.device)
        return {"samples": n, "nats": nats * n, "ceilings": n * math.log(negative.shape[-1] + 1)}

    def value(self, sums: Mapping[str, Tensor]) -> Tensor:
        """Compute the mean over samples."""
        return sums["nats"] / sums["samples"]
