"""Several processes that train one network, by the process groups of torch."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
import torch.distributed as dist

from ..engine import DetectorNet
from ..utils._compat import take_rows
from ..utils.containers import stack
from ._sample import Sample


class Processes:
    """What the processes of a group have to agree on.

    Every process calls the same methods in the same order.

    Parameters
    ----------
    group : torch.distributed.ProcessGroup
        The group.
    """

    def __init__(self, group: "dist.ProcessGroup"):
        self._group = group
        self._size = dist.get_world_size(group)

    def shared(self, value: Any) -> Any:
        """Return the value of the first process of the group."""
        values = [value]
        dist.broadcast_object_list(
            values, src=dist.get_global_rank(self._group, 0), group=self._group
        )
        return values[0]

    def joined(self, sample: Sample, seed: int) -> tuple[Sample, list[int]]:
        """Return a uniform sample of the rows of all processes, and how many each has seen.

        Parameters
        ----------
        sample : Sample
            A sample of the rows of this process.
        seed : int
            Seed of the draw, equal in all processes.

        Returns
        -------
        joined : Sample
            The same rows in all processes. Its ``n_seen`` is that of this process.
        n_seen : list of int
            Numbers of rows, by process.
        """
        found: list[Any] = [None] * self._size
        dist.all_gather_object(found, (sample.rows(), sample.n_seen), group=self._group)
        n_seen = [n for _, n in found]
        # Of each process the same share of its rows, as many as there are in its sample.
        shares = [rows.shape[0] / n for rows, n in found]
        share = min(sample.size / sum(n_seen), *shares)
        rng = np.random.default_rng(seed)
        parts: list[Any] = []
        for rows, n in found:
            n_drawn = min(rows.shape[0], max(1, round(share * n)))
            drawn = rng.choice(rows.shape[0], n_drawn, replace=False)
            parts.append(take_rows(rows, np.sort(drawn)))
        joined = Sample(sample.size, seed)
        joined.add(stack(parts))
        joined.n_seen = sample.n_seen
        return joined, n_seen

    def all_have(self, batch: bool, device: torch.device | str) -> bool:
        """Whether all processes have a further batch."""
        flag = torch.tensor(int(batch), device=device)
        dist.all_reduce(flag, dist.ReduceOp.MIN, group=self._group)
        return bool(flag)

    @contextmanager
    def together(self, net: DetectorNet) -> Iterator[None]:
        """Train a net on the mean gradients of all processes, for a block.

        In the end the tensors of the net and the random state are equal in all processes.
        """
        parameters = [*net.module_.parameters(), *net.criterion_.parameters()]
        hooks = [
            parameter.register_post_accumulate_grad_hook(lambda p: self._average(p.grad))
            for parameter in dict.fromkeys(parameters)
            if parameter.requires_grad
        ]
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()
        self._synchronise(net)
        torch.set_rng_state(self.shared(torch.get_rng_state()))

    def begin_epoch(self, net: DetectorNet) -> None:
        """Make a net equal in all processes, and their random numbers different."""
        # Statistics such as those of a batch normalisation are those of one process each.
        self._synchronise(net)
        torch.manual_seed(int(torch.randint(2**31 - 1, ())) + dist.get_rank(self._group))

    def _synchronise(self, net: DetectorNet) -> None:
        """Replace the tensors of a net by their means over the processes."""
        for part in (net.module_, net.criterion_):
            for tensor in part.state_dict().values():
                if tensor.is_floating_point():
                    self._average(tensor)
                else:
                    first = dist.get_global_rank(self._group, 0)
                    dist.broadcast(tensor, src=first, group=self._group)

    def _average(self, tensor: torch.Tensor) -> None:
        with torch.no_grad():
            dist.all_reduce(tensor, group=self._group)
            tensor /= self._size
