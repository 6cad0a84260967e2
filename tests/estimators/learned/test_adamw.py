"""The fused AdamW of critics against that of torch, and what the first fit imports."""

from __future__ import annotations

import subprocess
import sys

import torch

from infoflow.estimators.learned.adamw import AdamW


def test_it_updates_as_the_optimizer_of_torch() -> None:
    generator = torch.Generator().manual_seed(0)
    start = [torch.randn(4, 3, 2, generator=generator), torch.randn(4, 5, generator=generator)]
    pulls = [torch.randn(12, *weight.shape, generator=generator) for weight in start]
    ours, theirs = ([weight.clone().requires_grad_() for weight in start] for _ in range(2))
    optimizer = AdamW(ours, learning_rate=0.01, weight_decay=0.1)
    reference = torch.optim.AdamW(theirs, lr=0.01, weight_decay=0.1)
    members = torch.arange(4)
    for step in range(12):
        if step == 6:  # two members are done
            members = torch.tensor([1, 3])
            ours = [weight.detach()[members].requires_grad_() for weight in ours]
            optimizer = optimizer.continued(ours, members)
        for each in (optimizer, reference):
            each.zero_grad()
        sum((w.sin() * pull[step, members]).sum() for w, pull in zip(ours, pulls, strict=True)).backward()  # type: ignore[union-attr]
        sum((w.sin() * pull[step]).sum() for w, pull in zip(theirs, pulls, strict=True)).backward()  # type: ignore[union-attr]
        optimizer.step()
        reference.step()  # type: ignore[no-untyped-call]
    for weight, expected in zip(ours, theirs, strict=True):
        torch.testing.assert_close(weight, expected[members])


def test_the_first_fit_loads_no_compiler() -> None:
    code = (
        "import sys, torch; from infoflow.estimators import Neural\n"
        "x = torch.randn(60, 2); Neural(max_epochs=1).estimate(x, x + torch.randn(60, 2))\n"
        "print(*sorted(sys.modules))"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "torch.optim.adamw" in loaded
    assert not {"torch._dynamo", "torch._inductor"} & set(loaded)
