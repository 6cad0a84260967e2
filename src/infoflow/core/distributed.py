"""Differentiable collectives over the processes of a group; a group of None is this process alone.

Every collective here is the exact adjoint of its forward pass for the sum of all processes' losses. So when
each process calls `backward` on the same global value and the gradients of the parameters are *averaged* over
the processes (what `DistributedDataParallel` does), the result is the gradient that one process with the
whole batch would get.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
import torch.distributed as dist
from torch import Tensor

from infoflow.core.errors import InvalidArgument

# A torch.distributed.ProcessGroup, which builds of torch without distributed lack; None is one process alone.
Group = Any

_MAX_AXES = 8  # of a tensor that is gathered; its shape travels in a fixed-size message

_DTYPES = (
    *(torch.float64, torch.float32, torch.float16, torch.bfloat16),
    *(torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8, torch.bool),
)

_OPERATIONS = ("gather", "sum_over", "max_over")


class Gathered(NamedTuple):
    """Rows of all processes, in rank order.

    Parameters
    ----------
    values : Tensor of shape (N, ...)
        The rows.
    offset
        Index of this process's first row.
    sizes
        Number of rows of each process.

    Examples
    --------
    >>> Gathered(torch.zeros(5, 2), offset=2, sizes=(2, 3)).values.shape
    torch.Size([5, 2])
    """

    values: Tensor
    offset: int
    sizes: tuple[int, ...]


def world_size(group: Group = None) -> int:
    """Return the number of processes in the group.

    Parameters
    ----------
    group : torch.distributed.ProcessGroup or None
        The processes; None is this process alone.

    Returns
    -------
    int
        1 for None.

    Examples
    --------
    >>> world_size()
    1
    """
    return 1 if group is None else int(dist.get_world_size(group))


class _Sum(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, tensor: Tensor, group: Group) -> Tensor:
        ctx.group = group
        total = tensor.detach().clone(memory_format=torch.contiguous_format)
        dist.all_reduce(total, group=group)
        return total

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        total = gradients[0].clone(memory_format=torch.contiguous_format)
        dist.all_reduce(total, group=ctx.group)
        return total, None


class _Gather(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, tensor: Tensor, group: Group, offset: int, sizes: tuple[int, ...]) -> Tensor:
        ctx.group, ctx.offset, ctx.rows = group, offset, tensor.shape[0]
        # Collectives require equal shapes, so shorter shards are padded and cut again.
        padded = tensor.new_zeros(max(sizes), *tensor.shape[1:])
        padded[: tensor.shape[0]] = tensor.detach()
        parts = [torch.empty_like(padded) for _ in sizes]
        dist.all_gather(parts, padded, group=group)
        return torch.cat([part[:size] for part, size in zip(parts, sizes, strict=True)])

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None, None]:
        total = gradients[0].clone(memory_format=torch.contiguous_format)
        dist.all_reduce(total, group=ctx.group)
        return total[ctx.offset : ctx.offset + ctx.rows], None, None, None


# `Function.apply` has no types of its own.
_sum: Callable[[Tensor, Group], Tensor] = _Sum.apply
_gather: Callable[[Tensor, Group, int, tuple[int, ...]], Tensor] = _Gather.apply


def sum_over(tensor: Tensor, group: Group = None) -> Tensor:
    """Sum a tensor elementwise over the processes, differentiably.

    Parameters
    ----------
    tensor : Tensor of any shape
        This process's summand; shapes must agree between the processes.
    group : torch.distributed.ProcessGroup or None
        The processes; None is this process alone.

    Returns
    -------
    Tensor
        The sum, on every process; `tensor` itself if `group` is None.

    Raises
    ------
    InvalidArgument
        On every process alike, if shapes or dtypes differ between processes, or they call different collectives.

    Notes
    -----
    y = Σ_r x_r and ∂/∂x_r = Σ_s ∂L_s/∂y.

    Examples
    --------
    >>> sum_over(torch.tensor([1.0, 2.0])).tolist()
    [1.0, 2.0]
    """
    if group is None:
        return tensor
    _agree("sum_over", tensor, group)
    return _sum(tensor, group)


def max_over(tensor: Tensor, group: Group = None) -> Tensor:
    """Return the elementwise maximum over the processes, without gradient.

    Parameters
    ----------
    tensor : Tensor of any shape
        This process's values; shapes must agree between the processes.
    group : torch.distributed.ProcessGroup or None
        The processes; None is this process alone.

    Returns
    -------
    Tensor
        The maximum, on every process, detached: the shift of a log-sum-exp needs no gradient.

    Raises
    ------
    InvalidArgument
        On every process alike, if shapes or dtypes differ between processes, or they call different collectives.

    Examples
    --------
    >>> max_over(torch.tensor(3.0)).item()
    3.0
    """
    top = tensor.detach()
    if group is not None:
        _agree("max_over", top, group)
        top = top.clone(memory_format=torch.contiguous_format)
        dist.all_reduce(top, op=dist.ReduceOp.MAX, group=group)
    return top


def gather(tensor: Tensor, group: Group = None, *, name: str = "tensor") -> Gathered:
    """Gather the rows of every process, in rank order, differentiably.

    Parameters
    ----------
    tensor : Tensor of shape (n, ...)
        This process's rows, floating-point, at most 8 axes. Processes may hold different numbers of rows.
    group : torch.distributed.ProcessGroup or None
        The processes; None is this process alone.
    name
        Name of the argument, for messages.

    Returns
    -------
    Gathered
        The rows of all processes. The gradient of a row is summed over all processes and returned to its owner.

    Raises
    ------
    InvalidArgument
        On every process alike, if dtypes or axes beyond the first differ between processes, or if a process holds
        rows that cannot be gathered.

    Examples
    --------
    >>> values, offset, sizes = gather(torch.ones(3, 2)); values.shape, offset, sizes
    (torch.Size([3, 2]), 0, (3,))
    """
    if group is None:
        if tensor.ndim == 0:
            raise InvalidArgument(name, "rows of shape (n, ...)", got_text="a single number")
        return Gathered(tensor, 0, (tensor.shape[0],))
    shapes = _shapes("gather", tensor, group, name)
    sizes = tuple(shape[0] for _, shape in shapes)
    if len({(kind, shape[1:]) for kind, shape in shapes}) > 1:
        must_be = "of one dtype and of one shape beyond the first axis on all processes"
        raise InvalidArgument(name, must_be, got_text=_each(shapes))
    offset = list(itertools.accumulate(sizes, initial=0))[dist.get_rank(group)]
    values = _gather(tensor, group, offset, sizes)
    return Gathered(values, offset, sizes)


def _agree(operation: str, tensor: Tensor, group: Group) -> None:
    """Raise InvalidArgument on every process where shapes or dtypes differ, which would hang or add unlike numbers."""
    shapes = _shapes(operation, tensor, group, "tensor")
    if len(set(shapes)) > 1:
        raise InvalidArgument("tensor", "of one shape and dtype on all processes", got_text=_each(shapes))


def _each(shapes: list[tuple[int, tuple[int, ...]]]) -> str:
    return ", ".join(
        f"shape {shape} of {str(_DTYPES[kind]).removeprefix('torch.')} on process {process}"
        for process, (kind, shape) in enumerate(shapes)
    )


def _shapes(operation: str, tensor: Tensor, group: Group, name: str) -> list[tuple[int, tuple[int, ...]]]:
    """(dtype's number, shape) of the tensor on every process, which all must call the same operation."""
    # A process that raised before the exchange would leave the others waiting: a fault travels as -1 axes.
    fault = tensor.ndim > _MAX_AXES or tensor.dtype not in _DTYPES
    fault |= operation == "gather" and (tensor.ndim == 0 or not tensor.is_floating_point())
    header = [-1, 0] if fault else [tensor.ndim, _DTYPES.index(tensor.dtype)]
    shape = [] if fault else list(tensor.shape)
    numbers = [_OPERATIONS.index(operation), *header, *shape, *[0] * (_MAX_AXES - len(shape))]
    message = torch.tensor(numbers, device=tensor.device)
    parts = [torch.empty_like(message) for _ in range(world_size(group))]
    dist.all_gather(parts, message, group=group)
    received = [[int(number) for number in part] for part in parts]
    called = [_OPERATIONS[which] for which, *_ in received]
    if len(set(called)) > 1:
        found = ", ".join(f"{each} on process {process}" for process, each in enumerate(called))
        raise InvalidArgument("collective", "the same on all processes", got_text=found)
    broken = [process for process, (_, axes, *_) in enumerate(received) if axes < 0]
    if broken:
        kind = "floating-point rows" if operation == "gather" else "real numbers"
        raise InvalidArgument(
            name,
            f"{kind} of at most {_MAX_AXES} axes on every process",
            got_text=f"something else on process {broken[0]} (here: shape {tuple(tensor.shape)}, dtype {tensor.dtype})",
        )
    return [(kind, tuple(numbers[:axes])) for _, axes, kind, *numbers in received]
