"""Losses and scores of generative adversarial networks."""

import copy
import weakref
from collections.abc import Sequence
from typing import Any, Protocol, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...losses import check_reconstruction, log_uniform


class GenerativeNetwork(Protocol):
    """Attributes of a module that the losses of a GAN use."""

    latent_dim: int

    def to(self, dtype: torch.dtype) -> nn.Module:
        """Convert the weights, as :meth:`torch.nn.Module.to` does."""

    def generate(self, z: Tensor, x: Tensor | None = None) -> Tensor:
        """Map codes (n, latent_dim) to rows (n, n_features), with the context of x if given."""

    def discriminate(self, x: Tensor) -> Tensor:
        """Return the logits (n, 1) that rows are real."""

    def discriminator_features(self, x: Tensor) -> Tensor:
        """Return the last hidden layer of the discriminator, shape (n, n_hidden)."""


class BidirectionalGAN(Protocol):
    """Attributes of a module that the losses of a bidirectional GAN use."""

    latent_dim: int

    def encode(self, x: Tensor) -> Tensor:
        """Map rows (n, n_features) to codes (n, latent_dim)."""

    def generate(self, z: Tensor) -> Tensor:
        """Map codes (n, latent_dim) to rows (n, n_features)."""

    def discriminate(self, x: Tensor, z: Tensor) -> Tensor:
        """Return the logits (n, 1) that pairs come from the encoder."""


def draw_codes(module: GenerativeNetwork | BidirectionalGAN, x: Tensor) -> Tensor:
    """Draw codes (n, latent_dim) from the standard normal distribution, one for each row."""
    return torch.randn(x.shape[0], module.latent_dim, device=x.device)


def background_rows(x: Tensor, scales: tuple[float, float]) -> Tensor:
    """Return the rows of a batch, each moved by a random amount.

    Half of the rows are moved along the difference of two rows of the batch, which follows
    the dependencies between the features. The others are moved by independent normal noise,
    which breaks these dependencies.

    Parameters
    ----------
    x : Tensor of shape (n, n_features)
        The rows of the batch.
    scales : tuple of two floats
        Bounds of the factor of the move; the factor is drawn log-uniformly for each row.

    Returns
    -------
    background : Tensor of shape (n, n_features)
        The moved rows.
    """
    low, high = scales
    widths = log_uniform(low, high, torch.rand(x.shape[0], 1, device=x.device))
    apart = x[torch.randperm(x.shape[0])] - x[torch.randperm(x.shape[0])]
    along = torch.rand(x.shape[0], 1, device=x.device) < 0.5
    # The difference of two rows has twice the variance of a row, hence the root of 2.
    return x + widths * torch.where(along, apart / 2**0.5, torch.randn_like(x))


# For each module, a frozen copy in another precision. The keys are weak: a copy lives as long
# as its module.
_EXACT_COPIES: weakref.WeakKeyDictionary[nn.Module, nn.Module] = weakref.WeakKeyDictionary()


def _has_weights_of(copied: nn.Module, module: nn.Module) -> bool:
    # The values are compared: fused optimisers change weights without a new version number.
    pairs = zip(
        (*copied.parameters(), *copied.buffers()),
        (*module.parameters(), *module.buffers()),
        strict=True,
    )
    return all(a.device == b.device and torch.equal(a, b.to(a.dtype)) for a, b in pairs)


def _exact_copy(module: nn.Module, dtype: torch.dtype) -> Any:
    """Return a frozen copy of a module in another precision.

    The copy is kept until the weights change, because scoring needs it for each block of
    rows.
    """
    module = getattr(module, "_orig_mod", module)
    exact = _EXACT_COPIES.get(module)
    if exact is None or not _has_weights_of(exact, module):
        exact = copy.deepcopy(module).to(dtype).requires_grad_(False)
        _EXACT_COPIES[module] = exact
    return exact.train(module.training)


class GANLoss(nn.Module):
    """Losses of a generator and a discriminator, and the scores that they give to rows.

    Parameters
    ----------
    score_type : {"mix", "discriminator", "query"}, default="mix"
        The score that :meth:`score_with` returns.
    alpha : float, default=0.5
        Weight of the query in the mix. The weight of the discriminator is ``1 - alpha``.
    feature_weight : float, default=0.1
        Weight of the discriminator's features in the error of the query. The weight of the
        difference between the rows is ``1 - feature_weight``.
    n_starts : int, default=256
        Number of codes; each query starts at the best of them.
    query_steps : int, default=10
        Number of gradient steps of a query.
    query_lr : float, default=0.1
        Learning rate of a query.
    background : float, default=0.75
        Share of background rows among the rows that the discriminator separates from real
        rows.
    background_scales : tuple of two floats, default=(0.3, 5.0)
        Bounds of the factor by which background rows are moved.
    label_smoothing : float, default=0.0
        The target of the discriminator for real rows is ``1 - label_smoothing``.
    r1_weight : float, default=0.0
        Weight of half of the squared gradient norm of the logits at real rows.
    stem : torch.nn.Module or None, default=None
        Maps rows (n, n_features) to what the query compares, (n, n_seen). With None it compares
        the rows themselves.
    """

    # Attributes that a module must have besides ``forward``.
    module_interface = ("latent_dim", "generate", "discriminate", "discriminator_features")

    codes: Tensor
    score_means: Tensor

    def __init__(
        self,
        *,
        score_type: str = "mix",
        alpha: float = 0.5,
        feature_weight: float = 0.1,
        n_starts: int = 256,
        query_steps: int = 10,
        query_lr: float = 0.1,
        background: float = 0.75,
        background_scales: tuple[float, float] = (0.3, 5.0),
        label_smoothing: float = 0.0,
        r1_weight: float = 0.0,
        stem: nn.Module | None = None,
    ):
        super().__init__()
        self.score_type = score_type
        self.alpha = alpha
        self.feature_weight = feature_weight
        self.n_starts = n_starts
        self.query_steps = query_steps
        self.query_lr = query_lr
        self.background = background
        self.background_scales = background_scales
        self.label_smoothing = label_smoothing
        self.r1_weight = r1_weight
        self.stem = nn.Identity() if stem is None else stem
        self.register_buffer("codes", torch.empty(0))
        self.register_buffer("score_means", torch.ones(2))

    def _generate(self, module: GenerativeNetwork, z: Tensor, x: Tensor) -> Tensor:
        return module.generate(z)

    def _background(self, x: Tensor) -> Tensor:
        return background_rows(x, self.background_scales)

    def _logits(self, module: GenerativeNetwork, x: Tensor) -> Tensor:
        logits = module.discriminate(x)
        if logits.shape != (x.shape[0], 1):
            raise ValueError(
                f"The module returned logits of shape {tuple(logits.shape)} for an input of"
                f" shape {tuple(x.shape)}; expected ({x.shape[0]}, 1)."
            )
        return logits[:, 0]

    def discriminator_loss(self, module: GenerativeNetwork, x: Tensor) -> Tensor:
        """Return the cross-entropy of the discriminator on real rows and all others."""
        # NOTE[DIFF]: the discriminator learns from background rows, too.
        n_background = round(self.background * x.shape[0])
        with torch.no_grad():
            fakes = self._generate(module, draw_codes(module, x), x)
        made = torch.cat([self._background(x)[:n_background], fakes[n_background:]])
        if self.r1_weight:
            x = x.clone().requires_grad_()
        # One pass for all rows, because the time of a small batch goes into the number of
        # calls of torch, not into the arithmetic.
        logits = self._logits(module, torch.cat([x, made]))
        real = logits[: x.shape[0]]
        loss = F.softplus(-real).mean() + F.softplus(logits[x.shape[0] :]).mean()
        # The cross-entropy with the target 1 - s is the one with the target 1, plus s * logit.
        loss = loss + self.label_smoothing * real.mean()
        if self.r1_weight:
            (slopes,) = torch.autograd.grad(real.sum(), x, create_graph=True)
            loss = loss + self.r1_weight / 2 * slopes.square().sum(dim=1).mean()
        return loss

    def generator_loss(self, module: GenerativeNetwork, x: Tensor) -> Tensor:
        """Return the non-saturating loss of the generator."""
        fakes = self._generate(module, draw_codes(module, x), x)
        check_reconstruction(fakes, x)
        return F.softplus(-self._logits(module, fakes)).mean()

    def surprise(self, module: GenerativeNetwork, x: Tensor) -> Tensor:
        """Return ``-log D(x)``, shape (n,)."""
        return F.softplus(-self._logits(module, x))

    def query_errors(
        self, module: GenerativeNetwork, z: Tensor, x: Tensor, features: Tensor
    ) -> Tensor:
        """Return the errors of generated rows.

        Parameters
        ----------
        module : GenerativeNetwork
            The module.
        z : Tensor of shape (n, latent_dim)
            The codes of the generated rows.
        x : Tensor of shape (n, n_features)
            The rows to compare with.
        features : Tensor of shape (n, n_hidden)
            The last hidden layer of the discriminator on the rows x.

        Returns
        -------
        errors : Tensor of shape (n,)
            Weighted sums of the L1 distances between the rows and between their features.
        """
        made = self._generate(module, z, x)
        residual = (self.stem(x) - self.stem(made)).abs().sum(dim=1)
        if not self.feature_weight:
            return residual
        apart = (features - module.discriminator_features(made)).abs().sum(dim=1)
        return (1 - self.feature_weight) * residual + self.feature_weight * apart

    def _starts(self, module: GenerativeNetwork, x: Tensor) -> Tensor:
        codes = self.codes.to(x.dtype)
        made = self.stem(module.generate(codes))
        return codes[torch.cdist(self.stem(x), made, p=1.0).argmin(dim=1)]

    def search(self, module: GenerativeNetwork, x: Tensor) -> Tensor:
        """Return codes (n, latent_dim) whose generated rows are similar to x.

        The search is Adam with betas (0.9, 0.99). It runs in float64, except on mps, which
        has no float64: the rounding of a float32 gradient depends on the position of the row
        in its block, and the steps of the search would enlarge this difference.
        """
        dtype = torch.float32 if x.device.type == "mps" else torch.float64
        # Gradients need tensors that were not made in inference mode.
        with torch.inference_mode(False):
            exact = _exact_copy(cast(nn.Module, module), dtype)
            x = x.detach().clone().to(dtype)
            with torch.no_grad():
                z, features = self._starts(exact, x), exact.discriminator_features(x)
            mean, square = torch.zeros_like(z), torch.zeros_like(z)
            for step in range(1, self.query_steps + 1):
                with torch.enable_grad():
                    z = z.detach().requires_grad_()
                    errors = self.query_errors(exact, z, x, features)
                    (slopes,) = torch.autograd.grad(errors.sum(), z)
                mean, square = 0.9 * mean + 0.1 * slopes, 0.99 * square + 0.01 * slopes**2
                scale = (square / (1 - 0.99**step)).sqrt() + 1e-8
                z = z.detach() - self.query_lr * mean / (1 - 0.9**step) / scale
            return z.float()

    def query(self, module: GenerativeNetwork, x: Tensor) -> Tensor:
        """Return the errors (n,) of the most similar rows that the generator makes."""
        z = self.search(module, x)
        return self.query_errors(module, z, x, module.discriminator_features(x))

    def score_parts(self, module: GenerativeNetwork, x: Tensor) -> Tensor:
        """Return both parts of the mix, not yet divided by their means, shape (n, 2)."""
        return torch.stack([self.surprise(module, x), self.query(module, x)], dim=1)

    def score_with(self, module: GenerativeNetwork, x: Tensor) -> Tensor:
        """Return the anomaly scores (n,) of rows."""
        if self.score_type == "discriminator":
            return self.surprise(module, x)
        if self.score_type == "query":
            return self.query(module, x)
        parts = self.score_parts(module, x) / self.score_means
        return (1 - self.alpha) * parts[:, 0] + self.alpha * parts[:, 1]


class ConditionalGANLoss(GANLoss):
    """Losses and scores of a GAN that generates some columns given the others.

    Parameters
    ----------
    condition : sequence of int, default=()
        Indices of the columns of the context, which are given.
    score_type, alpha, feature_weight, n_starts, query_steps, query_lr, background, \
    background_scales, label_smoothing, r1_weight
        As in :class:`GANLoss`.
    """

    condition: Tensor
    contexts: Tensor

    def __init__(
        self,
        *,
        condition: Sequence[int] = (),
        score_type: str = "mix",
        alpha: float = 0.5,
        feature_weight: float = 0.1,
        n_starts: int = 256,
        query_steps: int = 10,
        query_lr: float = 0.1,
        background: float = 0.75,
        background_scales: tuple[float, float] = (0.3, 5.0),
        label_smoothing: float = 0.0,
        r1_weight: float = 0.0,
    ):
        super().__init__(
            score_type=score_type,
            alpha=alpha,
            feature_weight=feature_weight,
            n_starts=n_starts,
            query_steps=query_steps,
            query_lr=query_lr,
            background=background,
            background_scales=background_scales,
            label_smoothing=label_smoothing,
            r1_weight=r1_weight,
        )
        self.register_buffer("condition", torch.tensor(list(condition), dtype=torch.long))
        self.register_buffer("contexts", torch.empty(0))

    def _generate(self, module: GenerativeNetwork, z: Tensor, x: Tensor) -> Tensor:
        return module.generate(z, x)

    def _background(self, x: Tensor) -> Tensor:
        rows = super()._background(x)
        rows[:, self.condition] = x[:, self.condition]
        return rows

    def _starts(self, module: GenerativeNetwork, x: Tensor) -> Tensor:
        if not len(self.condition):
            return super()._starts(module, x)
        # The generated row depends on the code and on the context, so each pair of a code
        # and a row must be tried. One code at a time, for all rows, keeps memory small.
        codes = self.codes.to(x.dtype)
        starts = codes[:1].repeat(x.shape[0], 1)
        least = torch.full_like(x[:, :1], torch.inf)
        for code in codes:
            z = code.expand(x.shape[0], -1)
            errors = (module.generate(z, x) - x).abs().sum(dim=1, keepdim=True)
            starts = torch.where(errors < least, z, starts)
            least = torch.minimum(errors, least)
        return starts


class BiGANLoss(nn.Module):
    """Losses of encoder and generator, and of the discriminator of pairs of rows and codes.

    Parameters
    ----------
    cycle_weight : float, default=1.0
        Weight of the squared reconstruction error in the loss of encoder and generator.
    alpha : float, default=0.9
        Weight of the reconstruction error in the score. The weight of the error in the
        features of the discriminator is ``1 - alpha``.
    stem : torch.nn.Module or None, default=None
        Maps rows (n, n_features) to what the scores compare, (n, n_seen). With None they
        compare the rows themselves.
    """

    # Attributes that a module must have besides ``forward``.
    module_interface = ("latent_dim", "encode", "generate", "discriminate")

    def __init__(
        self, *, cycle_weight: float = 1.0, alpha: float = 0.9, stem: nn.Module | None = None
    ):
        super().__init__()
        self.cycle_weight = cycle_weight
        self.alpha = alpha
        self.stem = nn.Identity() if stem is None else stem

    def discriminator_loss(self, module: BidirectionalGAN, x: Tensor) -> Tensor:
        """Return the cross-entropy of the discriminator on encoded and generated pairs."""
        z = draw_codes(module, x)
        with torch.no_grad():
            codes, fakes = module.encode(x), module.generate(z)
        real, fake = module.discriminate(x, codes), module.discriminate(fakes, z)
        return F.softplus(-real).mean() + F.softplus(fake).mean()

    def generator_loss(self, module: BidirectionalGAN, x: Tensor) -> Tensor:
        """Return the non-saturating loss of encoder and generator."""
        z = draw_codes(module, x)
        codes, fakes = module.encode(x), module.generate(z)
        check_reconstruction(fakes, x)
        real, fake = module.discriminate(x, codes), module.discriminate(fakes, z)
        loss = F.softplus(real).mean() + F.softplus(-fake).mean()
        # NOTE[DIFF]: a reconstruction error in the loss, as in ALICE.
        if self.cycle_weight:
            loss = loss + self.cycle_weight * (module.generate(codes) - x).square().mean()
        return loss

    def score_rows(self, output: tuple[Tensor, Tensor, Tensor], x: Tensor) -> Tensor:
        """Return the weighted sums (n,) of the two L1 errors, in rows and in features."""
        if not isinstance(output, tuple) or len(output) != 3:
            raise ValueError(
                f"The module returned a {type(output).__name__}; expected a tuple of"
                " reconstructions and the discriminator's features of both kinds of pairs."
            )
        reconstruction, real, fake = output
        check_reconstruction(reconstruction, x)
        residual = (self.stem(x) - self.stem(reconstruction)).abs().sum(dim=1)
        return self.alpha * residual + (1 - self.alpha) * (real - fake).abs().sum(dim=1)


class JointGAN(BidirectionalGAN, Protocol):
    """Attributes of a module that the losses of ALAD use, besides those of a BiGAN."""

    def discriminate_rows(self, x: Tensor, other: Tensor) -> Tensor:
        """Return the logits (n, 1) that the second row equals the first."""

    def discriminate_codes(self, z: Tensor, other: Tensor) -> Tensor:
        """Return the logits (n, 1) that the second code equals the first."""


class ALADLoss(nn.Module):
    """Losses of encoder, generator and three discriminators, and the scores of rows.

    Parameters
    ----------
    score_type : {"features", "l1", "l2", "logits"}, default="features"
        The score that :meth:`score_rows` returns.
    cycle_consistency : bool, default=True
        Whether encoder and generator are trained against the discriminators of pairs of rows
        and of pairs of codes.
    """

    # Attributes that a module must have besides ``forward``.
    module_interface = (
        *BiGANLoss.module_interface,
        "discriminate_rows",
        "discriminate_codes",
    )

    def __init__(self, *, score_type: str = "features", cycle_consistency: bool = True):
        super().__init__()
        self.score_type = score_type
        self.cycle_consistency = cycle_consistency

    def discriminator_loss(self, module: JointGAN, x: Tensor) -> Tensor:
        """Return the sum of the cross-entropies of the three discriminators."""
        z = draw_codes(module, x)
        with torch.no_grad():
            codes, fakes = module.encode(x), module.generate(z)
            row_cycle, code_cycle = module.generate(codes), module.encode(fakes)
        # One pass for real and generated pairs, as in GANLoss.
        games = (
            module.discriminate(torch.cat([x, fakes]), torch.cat([codes, z])),
            module.discriminate_rows(torch.cat([x, x]), torch.cat([x, row_cycle])),
            module.discriminate_codes(torch.cat([z, z]), torch.cat([z, code_cycle])),
        )
        signs = torch.ones(2 * x.shape[0], 1, device=x.device)
        signs[: x.shape[0]] = -1
        # Twice the mean over all 2 n pairs is the mean over the real pairs plus the mean over
        # the generated pairs.
        return 2 * F.softplus(signs * torch.cat(games, dim=1)).sum(dim=1).mean()

    def generator_loss(self, module: JointGAN, x: Tensor) -> Tensor:
        """Return the non-saturating loss of encoder and generator, by all discriminators."""
        z = draw_codes(module, x)
        codes, fakes = module.encode(x), module.generate(z)
        check_reconstruction(fakes, x)
        pairs = module.discriminate(torch.cat([x, fakes]), torch.cat([codes, z]))
        loss = F.softplus(pairs[: x.shape[0]]).mean() + F.softplus(-pairs[x.shape[0] :]).mean()
        if self.cycle_consistency:
            rows = module.discriminate_rows(x, module.generate(codes))
            loss = loss + F.softplus(-rows).mean()
            loss = loss + F.softplus(-module.discriminate_codes(z, module.encode(fakes))).mean()
        return loss

    def residuals(self, output: tuple[Tensor, ...], x: Tensor) -> Tensor:
        """Return the absolute or squared error of each feature, shape (n, n_features)."""
        errors = x - output[0]
        return errors.square() if self.score_type == "l2" else errors.abs()

    def score_rows(self, output: tuple[Tensor, ...], x: Tensor) -> Tensor:
        """Return the anomaly scores (n,) of rows."""
        if not isinstance(output, tuple) or len(output) != 4:
            raise ValueError(
                f"The module returned a {type(output).__name__}; expected a tuple of"
                " reconstructions, the features of rows beside themselves, and the features"
                " and the logits of rows beside their reconstructions."
            )
        reconstruction, same, cycled, logits = output
        check_reconstruction(reconstruction, x)
        if self.score_type == "features":
            return (same - cycled).abs().sum(dim=1)
        if self.score_type == "logits":
            return F.softplus(-logits).sum(dim=1)
        return self.residuals(output, x).sum(dim=1)
