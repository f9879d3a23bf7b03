"""Deep one-class SVM: a one-class SVM and the codes that it separates, trained together."""

from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any, Literal

import numpy as np
import torch

from ...base import BaseDeepDetector, DecoderMixin, EncoderMixin
from ...engine import iter_outputs, spread_tensor
from ...engine.types import Callbacks, Device, Module, Optimizer, TrainSplit
from ...utils.types import Activation, Contamination, RandomState
from ...utils.validation import Interval, check_hidden_dims
from .._parameters import NETWORK_CONSTRAINTS, NOT_NEGATIVE, POSITIVE, WIDTH
from ..reconstruction._networks import CodingAutoEncoder
from ._losses import OneClassSVMLoss


class DeepOneClassSVM(EncoderMixin, DecoderMixin, BaseDeepDetector):
    r"""One-class support vector machine on codes that are learned together with it.

    An auto-encoder learns codes, and a one-class SVM learns to separate the codes from the
    origin of the feature space of a kernel [1]_. The kernel is approximated by random
    Fourier features [2]_. Therefore the auto-encoder and the SVM can be trained together by
    gradient descent, and the number of rows is not limited. The score of a row tells on which
    side of the SVM's hyperplane it lies and how far away: it is positive for rows inside.

    Parameters
    ----------
    hidden_dims : sequence of int, default=(128,)
        Widths of the encoder's hidden layers. The decoder has the same widths in reverse
        order.
    latent_dim : int, default=256
        Width of the code.
    %(activation_parameters)s
    nu : float, default=0.1
        Upper bound of the share of training rows that lie outside of the SVM's boundary, in
        (0, 1], as in :class:`sklearn.svm.OneClassSVM`. Rows outside have negative scores.
        ``nu`` does not set the threshold of ``predict``; ``contamination`` does.
    gamma : float, default=2.0
        Inverse width of the kernel, in units of one over the total variance of the codes.
        The value 1 is ``gamma="scale"`` of scikit-learn if all columns of the codes have
        the same mean.
    n_fourier_features : int, default=256
        Number of random features that approximate the kernel, rounded up to an even
        number. The error of the approximation falls with the square root of this number.
    alpha : float, default=1.0
        Weight of the reconstruction error in the loss. The SVM's objective has weight 1.
    joint : bool, default=True
        Whether the SVM's objective trains the encoder, too. With ``False`` the encoder is
        trained by the reconstruction error only, and the SVM learns on its codes. This is
        the two-step method that the paper compares with.
    %(common_parameters)s

    Attributes
    ----------
    net_ : DetectorNet
        The trained skorch net: ``module_`` is the auto-encoder, ``criterion_.normal`` and
        ``criterion_.rho`` are the normal and the offset of the SVM's hyperplane.
    %(common_attributes)s

    See Also
    --------
    DeepSVDD : Encloses the codes in a sphere and needs no kernel.
    AutoEncoder : Scores rows by the reconstruction error.

    Notes
    -----
    With the encoder E, the decoder G and the random features :math:`\varphi`, training
    solves

    .. math::

        \min_{E, G, w, \rho} \; \frac{\alpha}{n d} \sum_i \lVert x_i - G(E(x_i)) \rVert^2
        + \frac{1}{2} \lVert w \rVert^2 - \rho
        + \frac{1}{\nu n} \sum_i \max(0, \rho - w \cdot \varphi(E(x_i))) ,

    and the score is :math:`w \cdot \varphi(E(x)) - \rho`.

    Departures from the paper:

    - The code is wide by default, where the paper has a narrow one. In our experiments on
      tables a narrow code lost the information that distinguishes anomalies, and ranked
      them clearly worse.
    - The width of the kernel is proportional to a moving average of the variance of the
      codes. Thus it fits codes of any scale.
    - The frequencies of the random features are orthogonal in blocks [3]_.
    - After training, :math:`\rho` is set to the ``nu`` quantile of
      :math:`w \cdot \varphi(E(x))` over the training rows. This value is optimal if all
      other parameters are fixed.
    - Rows far from the training data get a penalty. Far from the data a kernel falls to
      zero, but its random features continue to oscillate. If a row is farther from the mean
      training row :math:`\bar{x}` than any training row, its score is lowered by
      :math:`\lVert x - \bar{x} \rVert^2 / r^2 - 1`, where r is the largest distance of a
      training row from :math:`\bar{x}` (measured on at most 10,000 training rows).

    The contribution of the joint training is measured in the ablations in the benchmarks of
    the documentation.

    A custom ``module`` maps rows (n, n_features) to a pair of codes (n, any width) and
    reconstructions (n, n_features). The method ``encode`` also needs a method ``encode(x)``
    of the module.

    References
    ----------
    .. [1] M.-N. Nguyen, N. A. Vien, "Scalable and interpretable one-class SVMs with deep
       learning and random Fourier features", ECML PKDD 2018.
    .. [2] A. Rahimi, B. Recht, "Random features for large-scale kernel machines",
       NIPS 2007.
    .. [3] F. X. Yu, A. T. Suresh, K. Choromanski, D. Holtmann-Rice, S. Kumar, "Orthogonal
       random features", NIPS 2016.

    Examples
    --------
    >>> import numpy as np
    >>> from skdeepanomaly import DeepOneClassSVM
    >>> X = np.random.default_rng(0).normal(size=(300, 4))
    >>> X[0] = [5, -5, 5, -5]
    >>> detector = DeepOneClassSVM(nu=0.05, random_state=0).fit(X)
    >>> np.argmin(detector.score_samples(X))
    np.int64(0)
    >>> float((detector.score_samples(X) < 0).mean())
    0.05
    """

    _parameter_constraints: dict = {
        **BaseDeepDetector._parameter_constraints,
        **NETWORK_CONSTRAINTS,
        "latent_dim": [WIDTH],
        "nu": [Interval(Real, 0, 1, closed="right")],
        "gamma": [POSITIVE],
        "n_fourier_features": [Interval(Integral, 2, None, closed="left")],
        "alpha": [NOT_NEGATIVE],
        "joint": ["boolean"],
    }
    _module_class = CodingAutoEncoder
    _criterion_class = OneClassSVMLoss
    _auto_batch_size = 128
    _n_steps = 400
    _epoch_range = (2, 400)

    def __init__(
        self,
        *,
        hidden_dims: Sequence[int] = (128,),
        # NOTE[DIFF]: a wide code; the paper has a narrow one.
        latent_dim: int = 256,
        activation: Activation = "relu",
        dropout: float = 0.0,
        nu: float = 0.1,
        gamma: float = 2.0,
        n_fourier_features: int = 256,
        alpha: float = 1.0,
        joint: bool = True,
        module: Module | None = None,
        optimizer: Optimizer = torch.optim.Adam,
        lr: float = 2e-3,
        max_epochs: int | Literal["auto"] = "auto",
        batch_size: int | Literal["auto"] = "auto",
        train_split: TrainSplit | None = None,
        callbacks: Callbacks | None = None,
        contamination: Contamination = 0.1,
        warm_start: bool = False,
        device: Device = "cpu",
        compile: bool = False,
        verbose: int = 0,
        random_state: RandomState = None,
        **component__param: Any,
    ):
        super().__init__(
            module=module,
            optimizer=optimizer,
            lr=lr,
            max_epochs=max_epochs,
            batch_size=batch_size,
            train_split=train_split,
            callbacks=callbacks,
            contamination=contamination,
            warm_start=warm_start,
            device=device,
            compile=compile,
            verbose=verbose,
            random_state=random_state,
            **component__param,
        )
        self.hidden_dims = hidden_dims
        self.latent_dim = latent_dim
        self.activation = activation
        self.dropout = dropout
        self.nu = nu
        self.gamma = gamma
        self.n_fourier_features = n_fourier_features
        self.alpha = alpha
        self.joint = joint

    def _module_params(self, n_features):
        return {
            "hidden_dims": check_hidden_dims(self.hidden_dims),
            "latent_dim": self.latent_dim,
            "activation": self.activation,
            "dropout": self.dropout,
        }

    def _criterion_params(self):
        return {
            "n_fourier_features": self.n_fourier_features,
            "nu": self.nu,
            "gamma": self.gamma,
            "alpha": self.alpha,
            "joint": self.joint,
        }

    def _initialize_state(self, X):
        """Draw the random features, and set the normal to their mean over the rows."""
        criterion = self.net_.criterion_
        rows = spread_tensor(X, self.net_.device)
        self.net_.eval()
        with torch.no_grad():
            codes, _ = criterion.check_output(self.net_.module_(rows), rows)
        criterion.initialize(codes)

    def _finalize_state(self, X):
        """Set the offset of the SVM, and the ball around the training rows."""
        criterion = self.net_.criterion_
        scores = [criterion.similarities(codes) for _, (codes, _) in iter_outputs(self.net_, X)]
        # NOTE[DIFF]: rho is set to its optimum, the nu quantile of the similarities.
        # It lies halfway between two rows, so that rounding of the scores moves neither of
        # them to the other side.
        n_outside = min(int(criterion.nu * len(X)), len(X) - 1)
        around = [max(0, n_outside - 1), n_outside]
        similarities = np.partition(torch.cat(scores).cpu().numpy(), around)
        criterion.rho.data.fill_(float(similarities[around].mean()))
        criterion.ball.enclose(spread_tensor(X, self.net_.device))

    def _reconstruct_rows(self, x):
        return self.net_.module_(x)[1]
