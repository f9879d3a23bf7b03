"""The device of a computation."""

import torch

from .types import Device


def check_device(device: Device) -> str:
    """Return the name of a device that is available.

    Parameters
    ----------
    device : str or torch.device
        The device. ``"auto"`` is a GPU if there is one, otherwise the CPU.

    Returns
    -------
    device : str
        The name of the device.

    Raises
    ------
    ValueError
        If torch does not know the device, or if the machine does not have it.
    """
    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.empty(0, device=device).cpu()
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        n_gpus = torch.cuda.device_count()
        there = ["auto", "cpu", *(f"cuda:{i}" for i in range(n_gpus))]
        raise ValueError(
            f"device={device!r} is not there: {str(error).splitlines()[0].rstrip('.')}."
            f" Expected one of {there}."
        ) from error
    return str(device)
