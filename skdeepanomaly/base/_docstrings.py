"""Descriptions of parameters and attributes that docstrings share."""

import inspect

COMMON_PARAMETERS = """\
module : class or instance of torch.nn.Module, default=None
    The network, in place of the detector's own; see Notes for what it must offer. A
    class is given those of ``n_features`` and the detector's network parameters that
    its constructor takes; an instance is copied.
optimizer : class of torch.optim.Optimizer, default=torch.optim.Adam
    How the weights are updated. The fused variant is used where torch has one.
lr : float, default={lr}
    Learning rate.
max_epochs : int or "auto", default={max_epochs}
    Passes over the data in one call of ``fit`` or ``partial_fit``. ``"auto"`` makes as
    many as it takes for about {_n_steps} optimiser steps, between {_epoch_range[0]} and
    {_epoch_range[1]}.
batch_size : int or "auto", default="auto"
    Rows in a batch; -1 takes all rows at once. ``"auto"`` is {_auto_batch_size}, or all rows
    where there are fewer.
train_split : float, callable or None, default=None
    Share of the rows that is held out to record ``valid_loss``, or a skorch split such
    as :class:`skorch.dataset.ValidSplit`. The threshold comes from all rows.
callbacks : list or None, default=None
    Callbacks of skorch, or (name, callback) pairs. They are cloned before use.
contamination : float in (0, 0.5] or "auto", default=0.1
    Share of outliers in the training rows; sets ``offset_``. With ``"auto"`` a row is an
    outlier if its score lies more than three robust standard deviations below the
    median of the training scores, the deviation being taken from the lower half:
    (median - first quartile) / 0.6745.
warm_start : bool, default=False
    Whether ``fit`` goes on with the network of the previous ``fit``, as ``partial_fit``
    does.
device : str or torch.device, default="cpu"
    Where to compute; ``"auto"`` is a GPU where there is one.
compile : bool, default=False
    Whether to pass the network through :func:`torch.compile`.
verbose : int, default=0
    0 is silent, 1 shows a progress bar over the whole fit, 2 a table of epochs.
random_state : int, RandomState instance or None, default=None
    Seed of weights, batches and splits. With an int the scores repeat; with None they
    do not. The global generators of numpy, torch and Python are left as they are.
**component__param
    Parameters of skorch's components: ``optimizer__weight_decay``, ``module__...``,
    ``callbacks__<name>__<param>``, ``iterator_train__shuffle`` and so on. They can be
    set and searched like any other; ``fit`` refuses names that nothing reads."""


COMMON_ATTRIBUTES = """\
offset_ : float
    Threshold of ``score_samples``; ``decision_function`` is the score less it.
history_ : skorch.history.History
    One row an epoch, with ``train_loss`` and, with ``train_split``, ``valid_loss``.
n_epochs_ : int
    Epochs that the network was trained for.
n_features_in_ : int
    Number of features.
feature_names_in_ : ndarray of shape (n_features,)
    Names of the features, where X has names that are all strings."""


ACTIVATION_PARAMETERS = """\
activation : str, default={activation}
    Activation of the hidden layers: one of "relu", "leaky_relu", "elu", "gelu",
    "silu", "tanh", "sigmoid".
dropout : float, default=0.0
    Share of hidden units that is dropped in training, in [0, 1)."""


class _Values(dict):
    """Defaults of the constructor of a class, else attributes of the class."""

    def __init__(self, cls):
        parameters = inspect.signature(cls).parameters
        super().__init__({n: repr(p.default).replace("'", '"') for n, p in parameters.items()})
        self.cls = cls

    def __missing__(self, name):
        return getattr(self.cls, name)


def fill_docstring(cls) -> None:
    """Replace each ``%(name)s`` in the docstring of a class by a shared text.

    The texts are in ``_doc_parts`` of the class and its bases. In a text, ``{name}`` is the
    default of a parameter of the constructor, or an attribute of the class.

    Parameters
    ----------
    cls : type
        A subclass of BaseDeepDetector.
    """
    if not cls.__doc__ or "%(" not in cls.__doc__:
        return
    values = _Values(cls)
    doc = inspect.cleandoc(cls.__doc__)
    for name, text in cls._doc_parts.items():
        if f"%({name})s" in doc:
            doc = doc.replace(f"%({name})s", text.format_map(values))
    cls.__doc__ = doc + "\n"
