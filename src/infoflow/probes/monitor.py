"""A linear probe beside training: how good is the representation by now?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from infoflow.probes.features import Encoder, Layers, features
from infoflow.probes.linear import Linear, Logistic
from infoflow.probes.material import Material


class Monitor:
    """Call it with an epoch and it gives the probe's accuracy on each layer: `evaluate=` of `infoflow.training.fit`.

    It leaves no trace on the encoder. `data`, `layers` and `prepare` are as in `evaluate`; choose the test part from
    samples that decide nothing, or that aren't reported on. `samples` bounds both parts, so that it stays quick.

    >>> from infoflow.data import digits, split
    >>> monitor = Monitor(torch.nn.Flatten(), split(digits()), samples=400)
    >>> monitor(0)
    {'probe_accuracy/Y': 0.9...}
    """

    def __init__(
        self,
        encoder: Encoder,
        data: Any,
        *,
        layers: Layers = None,
        probe: Linear | None = None,
        prepare: Callable[[Tensor], Tensor] | None = None,
        samples: int = 2000,
        batch_size: int = 512,
    ) -> None:
        whole = Material.of(data)
        self._train = whole.train_x[:samples], whole.train_y[:samples]
        self._test = whole.test_x[:samples], whole.test_y[:samples]
        self._encoder, self._layers, self._prepare, self._batch = encoder, layers, prepare, batch_size
        self._probe = Logistic(runs=1) if probe is None else probe

    def __call__(self, epoch: int) -> dict[str, float]:
        """Layer -> accuracy, as "probe_accuracy/LAYER". Raises what `features` and the probe raise."""
        both = [
            features(self._encoder, x, self._layers, prepare=self._prepare, batch_size=self._batch)
            for x in (self._train[0], self._test[0])
        ]
        with torch.enable_grad():  # the loop calls without gradients; a probe may want its own
            return {
                f"probe_accuracy/{name}": self._probe.score(
                    both[0][name], self._train[1], both[1][name], self._test[1]
                ).value
                for name in both[0]
            }
