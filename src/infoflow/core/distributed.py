"""Differentiable collectives over the processes of a group; a group of None is this process alone.

Every collective here is the exact adjoint of its forward pass for the sum of all processes' losses. So when
each process calls `backward` on the same global value and the gradients of the parameters are *averaged* over
the processes (what `DistributedDataParallel` does), the result is the gradient that one process with the
whole batch would get.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import torch
import torch.distributed as dist
from torch import Tensor

from infoflow.core.agreement import agree, agreeing, each, shapes_of_all
from infoflow.core.errors import InvalidArgument
from infoflow.core.roll_call import called

# A torch.distributed.ProcessGroup, which builds of torch without distributed lack; None is one process alone.
Group = Any


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
        with called("sum_over", group):
            dist.all_reduce(total, group=group)
        return total

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        total = gradients[0].clone(memory_format=torch.contiguous_format)
        with called("gradient of sum_over", ctx.group):
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
        with called("gather", group):
            dist.all_gather(parts, padded, group=group)
        return torch.cat([part[:size] for part, size in zip(parts, sizes, strict=True)])

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None, None]:
        total = gradients[0].clone(memory_format=torch.contiguous_format)
        with called("gradient of gather", ctx.group):
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
    MissingProcess
        If a process does not take part; the message names it.

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
    agree("sum_over", tensor, group)
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
    MissingProcess
        If a process does not take part; the message names it.

    Examples
    --------
    >>> max_over(torch.tensor(3.0)).item()
    3.0
    """
    top = tensor.detach()
    if group is not None:
        agree("max_over", top, group)
        top = top.clone(memory_format=torch.contiguous_format)
        with called("max_over", group):
            dist.all_reduce(top, op=dist.ReduceOp.MAX, group=group)
    return top


def same_everywhere(
    group: Group, what: str, settings: Mapping[str, object], device: torch.device | None = None
) -> None:
    """Raise on every process alike if their settings differ; nothing without a group.

    Parameters
    ----------
    group : torch.distributed.ProcessGroup or None
        The processes; None is this process alone.
    what
        What the settings are of, for the message.
    settings
        Numbers, text or other values with a `repr` that is the same on every process.
    device
        Device of the group's backend; by default the CPU.

    Raises
    ------
    InvalidArgument
        If they differ; the message states which process has what.
    MissingProcess
        If a process does not take part; the message names it.

    Examples
    --------
    >>> same_everywhere(None, "training", {"epochs": 3})
    """
    if group is not None:
        with agreeing(group, what, settings):
            max_over(torch.zeros(1, device=device), group)


def averaged(tensor: Tensor, group: Group) -> Tensor:
    """Replace the values of a tensor by their mean over the processes, without gradient, and return it.

    Parameters
    ----------
    tensor : Tensor of any shape
        Values of this process; shapes must agree between the processes.
    group : torch.distributed.ProcessGroup
        The processes.

    Raises
    ------
    MissingProcess
        If a process does not take part; the message names it.
    """
    with called("mean of gradients", group):
        dist.all_reduce(tensor, group=group)
    return tensor.div_(world_size(group))


def from_first(tensors: Iterable[Tensor], group: Group) -> None:
    """Replace the values of tensors by those of the first process.

    Parameters
    ----------
    tensors
        Tensors of this process; shapes must agree between the processes.
    group : torch.distributed.ProcessGroup
        The processes.

    Raises
    ------
    MissingProcess
        If a process does not take part; the message names it.
    """
    source = dist.get_global_rank(group, 0)
    with torch.no_grad():
        for tensor in tensors:
            with called("values of the first process", group):
                dist.broadcast(tensor, source, group=group)


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
    MissingProcess
        If a process does not take part; the message names it.

    Examples
    --------
    >>> values, offset, sizes = gather(torch.ones(3, 2)); values.shape, offset, sizes
    (torch.Size([3, 2]), 0, (3,))
    """
    if group is None:
        if tensor.ndim == 0:
            raise InvalidArgument(name, "rows of shape (n, ...)", got_text="a single number")
        return Gathered(tensor, 0, (tensor.shape[0],))
    shapes = shapes_of_all("gather", tensor, group, name)
    sizes = tuple(shape[0] for _, shape in shapes)
    if len({(kind, shape[1:]) for kind, shape in shapes}) > 1:
        must_be = "of one dtype and of one shape beyond the first axis on all processes"
        raise InvalidArgument(name, must_be, got_text=each(shapes))
    offset = list(itertools.accumulate(sizes, initial=0))[dist.get_rank(group)]
    values = _gather(tensor, group, offset, sizes)
    return Gathered(values, offset, sizes)


def exchange(content: Any, group: Group = None, *, device: torch.device | None = None) -> list[Any]:
    """Return a JSON value of every process, in rank order.

    Parameters
    ----------
    content
        Value that JSON can hold.
    group : torch.distributed.ProcessGroup or None
        The processes; None is this process alone.
    device
        Device on which the group communicates; by default a GPU for NCCL, otherwise the CPU.

    Returns
    -------
    list
        The values.

    Examples
    --------
    >>> exchange({"rows": 3})
    [{'rows': 3}]
    """
    if device is None and group is not None and dist.get_backend(group) == "nccl":
        device = torch.device("cuda", torch.cuda.current_device())
    message = torch.tensor(list(json.dumps(content).encode()), dtype=torch.float32, device=device)
    gathered = gather(message, group, name="content")
    text = bytes(gathered.values.to(torch.uint8).tolist())
    ends = list(itertools.accumulate(gathered.sizes, initial=0))
    return [json.loads(text[start:end]) for start, end in itertools.pairwise(ends)]
