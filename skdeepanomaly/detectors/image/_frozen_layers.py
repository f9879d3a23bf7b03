"""Outputs of layers of a frozen torch module, and the module that is there without one."""

import copy
import threading

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ._stems import MIN_SIDE, GradientStem, Shape


class LocalPatterns(nn.Module):
    """A map of fixed local features, in place of a trained backbone.

    Large images have oriented gradients in cells of 4 x 4 pixels, as in
    :class:`GradientStem`. Images with a side shorter than 16 pixels have the values of the
    3 x 3 pixels around each pixel.

    Parameters
    ----------
    image_shape : tuple of three ints
        Channels, height and width of an image.
    """

    def __init__(self, image_shape: Shape):
        super().__init__()
        self.image_shape = image_shape
        self.stem = GradientStem(image_shape) if min(image_shape[1:]) >= MIN_SIDE else None

    def forward(self, x: Tensor) -> Tensor:
        """Map images, or their rows, to maps (n, n_channels, height, width)."""
        if self.stem is not None:
            return self.stem(x.flatten(1)).reshape(-1, *self.stem.output_shape)
        n_channels, height, width = self.image_shape
        images = F.pad(x.reshape(-1, *self.image_shape), (1, 1, 1, 1), mode="replicate")
        return F.unfold(images, 3).reshape(x.shape[0], 9 * n_channels, height, width)


class FrozenLayers(nn.Module):
    """A copy of a module that is only evaluated: its outputs, or those of some of its layers.

    Parameters
    ----------
    module : torch.nn.Module
        The module; it is copied, in float32.
    layers : tuple of str
        Names of submodules, as in ``named_modules``; none stands for the module itself.
    input_shape : tuple of int or None
        Shape of the inputs of the module; None leaves rows flat.

    Raises
    ------
    ValueError
        If the module has no layer of a name, or does not take inputs of the shape.
    """

    def __init__(
        self, module: nn.Module, layers: tuple[str, ...], input_shape: tuple[int, ...] | None
    ):
        super().__init__()
        self.module = copy.deepcopy(module).float().eval().requires_grad_(False)
        self.layers = layers
        self.input_shape = input_shape
        known = dict(self.module.named_modules())
        for name in layers:
            if name not in known:
                shown = ", ".join(list(known)[1:13]) + (", ..." if len(known) > 13 else "")
                raise ValueError(
                    f"layer={name!r} is no submodule of {type(module).__name__}. It has:"
                    f" {shown or 'none'}."
                )
        # Layers that are frozen stay so, whatever stands around them.
        self.eval()

    def train(self, mode: bool = True) -> "FrozenLayers":
        """Stay in evaluation mode."""
        return super().train(False)

    def try_on(self, n_features: int) -> list[Tensor]:
        """Return the outputs for two rows of zeros; raise a ValueError if there are none."""
        device = next((t.device for t in self.module.state_dict().values()), "cpu")
        try:
            return self(torch.zeros(2, n_features, device=device))
        except (RuntimeError, TypeError) as error:
            shape = self.input_shape or (n_features,)
            raise ValueError(
                f"The module {type(self.module).__name__} does not take inputs of shape"
                f" (n, {', '.join(map(str, shape))}): {str(error).splitlines()[0]} Images come"
                " as (n, channels, height, width), flat rows without image_shape as they are."
                " Grey images get three channels by np.repeat(X[:, None], 3, axis=1)."
            ) from error

    def forward(self, x: Tensor) -> list[Tensor]:
        """Map rows (n, n_features) to the outputs of the layers, in their order."""
        inputs = x if self.input_shape is None else x.reshape(-1, *self.input_shape)
        if not self.layers:
            return [_checked(self.module(inputs), "", x.shape[0])]
        seen: dict[str, Tensor] = {}
        thread = threading.get_ident()

        def keep(name):
            def hook(layer, args, output):
                # Another thread can run the same module at the same time.
                if threading.get_ident() != thread:
                    return
                if name in seen:
                    raise ValueError(
                        f"layer={name!r} runs more than once for an image; name a layer that"
                        " runs once, such as the block around it."
                    )
                # A copy, because the next layer may work in place.
                seen[name] = _checked(output, name, x.shape[0]).clone()

            return hook

        hooks = [
            self.module.get_submodule(name).register_forward_hook(keep(name))
            for name in self.layers
        ]
        try:
            self.module(inputs)
        finally:
            for hook in hooks:
                hook.remove()
        if missing := [name for name in self.layers if name not in seen]:
            raise ValueError(f"layer={missing[0]!r} does not run when the module is called.")
        return [seen[name] for name in self.layers]


def _checked(output, name: str, n_rows: int) -> Tensor:
    what = f"layer {name!r}" if name else "the module"
    if not torch.is_tensor(output):
        raise ValueError(
            f"The output of {what} is a {type(output).__name__}, expected a tensor. Name a"
            " layer whose output is a tensor."
        )
    if output.ndim < 2 or output.shape[0] != n_rows:
        raise ValueError(
            f"The output of {what} has shape {tuple(output.shape)} for {n_rows} images,"
            f" expected ({n_rows}, ...)."
        )
    return output.float()
