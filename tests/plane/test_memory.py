"""A convolutional network of ordinary size is recorded and analyzed within little more memory than the process had."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

LIMIT = 1.3 * 1024**3
"""Bytes beyond what the process holds once its libraries are loaded, which is 0.8 GiB with CUDA's."""

RUN = """
import resource, sys
import torch
from torch import nn
from torchvision.models import resnet18
from infoflow.plane import analyse, record

def peak():
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

before = peak()
network = resnet18(num_classes=10)
network.conv1, network.maxpool = nn.Conv2d(3, 64, 3, padding=1, bias=False), nn.Identity()  # as for small images
draw = torch.Generator().manual_seed(0)
x, y = torch.rand(1000, 3, 32, 32, generator=draw), torch.randint(10, (1000,), generator=draw)
with record(network, x, y, store=sys.argv[1], output=lambda z: z.softmax(1)) as recorder:
    recorder.snapshot(0)
plane = analyse(sys.argv[1], ["binning:width=0.5", "kernel-density:variance=0.1", "dependence-graph"], n_jobs=1)
print(len(plane.frame["layer"].unique()), peak() - before)
"""


@pytest.mark.timeout(1800)  # minutes of two processors, which may be busy
@pytest.mark.skipif(sys.platform != "linux", reason="peak memory has other units elsewhere")
def test_resnet18_adds_little_to_the_memory_of_the_process(tmp_path: Path) -> None:
    pytest.importorskip("torchvision", reason="torchvision is not installed (extra 'vision')")
    done = subprocess.run(
        [sys.executable, "-c", RUN, str(tmp_path / "recording")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    layers, growth = map(int, done.stdout.split())
    assert layers >= 9
    assert growth < LIMIT, f"{growth / 1024**3:.2f} GiB"
