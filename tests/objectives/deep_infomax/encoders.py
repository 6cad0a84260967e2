"""Small encoders for the tests: without batch norm where processes are compared, for sequences and for tokens."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Plain(nn.Module):
    """One strided convolution and a linear layer, for images (n, 1, 8, 8)."""

    def __init__(self, channels: int = 4, features: int = 3) -> None:
        super().__init__()
        self.map = nn.Conv2d(1, channels, 4, 2, 1)
        self.vector = nn.Linear(16 * channels, features)
        with torch.no_grad():
            for parameter in self.parameters():
                parameter.copy_(torch.linspace(-1, 1, parameter.numel()).sin().reshape(parameter.shape))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        local = self.map(x).tanh()
        return local, self.vector(local.flatten(1))


class Tokens(nn.Module):
    """An embedding, a convolution over positions, and the mean over them: (n, length) integers."""

    def __init__(self, vocabulary: int = 11, channels: int = 6, features: int = 5) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, channels)
        self.convolution = nn.Conv1d(channels, channels, 3, padding=1)
        self.vector = nn.Linear(channels, features)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        local = self.convolution(self.embedding(x).mT).tanh()
        return local, self.vector(local.mean(2))
