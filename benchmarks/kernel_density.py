"""KernelDensity beside the usual NumPy port, on the same samples in the same run.

Run: python benchmarks/kernel_density.py [--n 10000] [--d 1024] [--repeat 3]
"""

from __future__ import annotations

import argparse
import math
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from scipy.special import logsumexp

VARIANCES = (1e-3, 1e-1, 1.0, 10.0, 100.0)
CLASSES = 10


def activations(n: int, d: int) -> tuple[np.ndarray, np.ndarray]:
    """A ReLU layer of ten classes, float32, and the classes."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, CLASSES, n)
    centres = rng.standard_normal((CLASSES, d), dtype=np.float32)
    return np.maximum(centres[y] / 2 + rng.standard_normal((n, d), dtype=np.float32), 0), y


def naive(t: np.ndarray, y: np.ndarray, variances: tuple[float, ...], dtype: type) -> np.ndarray:
    """The port as people run it: the whole distance matrix, once per variance, and once more per class."""
    t = t.astype(dtype)

    def information(x: np.ndarray, variance: float) -> np.ndarray:
        norms = (x**2).sum(axis=1)
        distances = norms[:, None] + norms[None, :] - 2 * x @ x.T
        upper = math.log(len(x)) - logsumexp(-distances / (2 * variance), axis=1).mean()
        lower = math.log(len(x)) - logsumexp(-distances / (8 * variance), axis=1).mean()
        return np.array([upper, lower])

    table = []
    for variance in variances:
        whole = information(t, variance)
        within = sum((y == c).mean() * information(t[y == c], variance) for c in np.unique(y))
        table.append(np.concatenate([whole, whole - within]))
    return np.array(table)


def ours(t: np.ndarray, y: np.ndarray, variances: tuple[float, ...], dtype: str) -> np.ndarray:
    from infoflow.estimators.kernel_density import KernelDensity

    pairs = [KernelDensity(v, bound, dtype=dtype) for v in variances for bound in ("upper", "lower")]
    measured = KernelDensity.measure_many(pairs, t, y)
    return np.array(
        [
            [measured[i].input.nats, measured[i + 1].input.nats, measured[i].label.nats, measured[i + 1].label.nats]
            for i in range(0, len(measured), 2)
        ]
    )


def timed(call: Callable[[], np.ndarray], repeat: int) -> tuple[float, np.ndarray]:
    best = math.inf
    for _ in range(repeat):
        start = time.perf_counter()
        result = call()
        best = min(best, time.perf_counter() - start)
    return best, result


def extra_memory(n: int, d: int, which: str) -> float:
    """Peak resident memory in MiB beyond the samples themselves, in a process of its own (Linux)."""
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "import kernel_density as b, numpy as np\n"
        "n, d = int(sys.argv[2]), int(sys.argv[3])\n"
        "t, y = b.activations(n, d)\n"
        "b.ours(t[:300], y[:300], (1.0,), 'float32')\n"  # what importing and warming up takes
        "def resident(field):\n"
        "    return next(int(l.split()[1]) for l in open('/proc/self/status') if l.startswith(field))\n"
        "before = resident('VmRSS')\n"
        f"{which}\n"
        "print(resident('VmHWM') - before)"
    )
    command = [sys.executable, "-c", code, str(Path(__file__).parent), str(n), str(d)]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()[-1]) / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=10000)
    parser.add_argument("--d", type=int, default=1024)
    parser.add_argument("--repeat", type=int, default=3)
    arguments = parser.parse_args()
    n, d = arguments.n, arguments.d
    t, y = activations(n, d)
    print(f"n = {n}, d = {d}, {len(VARIANCES)} variances, both bounds, I(T;Y) of {CLASSES} classes\n")
    fast, single = timed(lambda: ours(t, y, VARIANCES, "float32"), arguments.repeat)
    exact, double = timed(lambda: ours(t, y, VARIANCES, "float64"), 1)
    slow, port = timed(lambda: naive(t, y, VARIANCES, np.float32), 1)
    slower, reference = timed(lambda: naive(t - t.mean(axis=0, dtype=np.float64), y, VARIANCES, np.float64), 1)
    print(f"{'':34}{'seconds':>9}{'port / this':>13}{'largest error (nats)':>23}{'extra MiB':>11}")
    for name, seconds, table, which in (
        ("KernelDensity float32", fast, single, "b.ours(t, y, b.VARIANCES, 'float32')"),
        ("KernelDensity float64", exact, double, "b.ours(t, y, b.VARIANCES, 'float64')"),
        ("NumPy port float32", slow, port, "b.naive(t, y, b.VARIANCES[:1], np.float32)"),
        ("NumPy port float64 (the reference)", slower, reference, "b.naive(t, y, b.VARIANCES[:1], np.float64)"),
    ):
        error = np.abs(table - reference).max()
        print(f"{name:34}{seconds:9.2f}{slow / seconds:13.1f}{error:23.1e}{extra_memory(n, d, which):11.0f}")

    print("\nThe float32 trap: ReLU activations of scale 20, variance 1e-3, n = 1000")
    trap = np.maximum(20 * np.random.default_rng(1).standard_normal((1000, d), dtype=np.float32), 0)
    classes = np.zeros(1000, dtype=int)
    print(
        f"  log N {math.log(1000):.6f}, KernelDensity float32 {ours(trap, classes, (1e-3,), 'float32')[0, 0]:.6f}, ",
        end="",
    )
    print(f"NumPy port float32 {naive(trap, classes, (1e-3,), np.float32)[0, 0]:.6f} nats")


if __name__ == "__main__":
    main()
