"""Accuracy of a probe during training."""

from __future__ import annotations

from typing import Any

import torch

from infoflow.core.settings import PositiveInt, validated
from infoflow.probes.features import Encoder, Layers, features
from infoflow.probes.inputs import Material, Prepare
from infoflow.probes.linear import Linear, Logistic


class Monitor:
    """Callable that returns the accuracy of a probe on each layer, for `evaluate=` of `infoflow.training.fit`.

    Parameters
    ----------
    encoder
        Module or function, which is not changed.
    data
        A `Split`, or ((train_x, train_y), (test_x, test_y)). The test part should be neither reported nor used for
        decisions.
    layers
        Layers as in `features`.
    probe
        Linear probe; None is `Logistic(runs=1)`.
    prepare
        Function applied to each batch first.
    n_samples
        Number of samples of each part that are used, the first ones.
    batch_size
        Samples per batch.

    Raises
    ------
    InvalidArgument
        If a number is out of range, or inputs and labels do not fit.

    Examples
    --------
    >>> from infoflow.data import digits, split
    >>> monitor = Monitor(torch.nn.Flatten(), split(digits()), n_samples=400)
    >>> monitor(0)
    {'probe_accuracy/Y': 0.9...}
    """

    @validated
    def __init__(
        self,
        encoder: Encoder,
        data: Any,
        *,
        layers: Layers = None,
        probe: Linear | None = None,
        prepare: Prepare | None = None,
        n_samples: PositiveInt = 2000,
        batch_size: PositiveInt = 512,
    ) -> None:
        whole = Material.of(data)
        self._train = whole.train_x[:n_samples], whole.train_y[:n_samples]
        self._test = whole.test_x[:n_samples], whole.test_y[:n_samples]
        self._encoder, self._layers, self._prepare, self._batch = encoder, layers, prepare, batch_size
        self._probe = Logistic(runs=1) if probe is None else probe

    def __call__(self, epoch: int) -> dict[str, float]:
        """Fit the probe to the features as they are now.

        Parameters
        ----------
        epoch
            Number of the epoch; it has no influence.

        Returns
        -------
        dict
            Accuracy of each layer, as "probe_accuracy/LAYER".

        Raises
        ------
        InvalidArgument
            If `features` or the probe raises it.
        """
        train, test = (
            features(self._encoder, x, self._layers, prepare=self._prepare, batch_size=self._batch)
            for x in (self._train[0], self._test[0])
        )
        with torch.enable_grad():  # the training loop calls without gradients; a probe may need them
            scores = {name: self._probe.score(train[name], self._train[1], test[name], self._test[1]) for name in train}
        return {f"probe_accuracy/{name}": score.value for name, score in scores.items()}
