"""Descriptions of parameters and attributes that the docstrings of detectors share."""

import inspect

COMMON_PARAMETERS = """\
module : class or instance of torch.nn.Module, default=None
    A network that replaces the default network; the Notes list the methods that it must
    have. A class is called with ``n_features`` and the network parameters of the detector,
    as far as its constructor takes them; an instance is copied.
optimizer : class of torch.optim.Optimizer, default=torch.optim.Adam
    Optimiser of the weights. The fused implementation is used if torch has one.
lr : float, default={lr}
    Learning rate.
max_epochs : int or "auto", default={max_epochs}
    Number of passes over the rows in one call of ``fit`` or ``partial_fit``. ``"auto"`` is
    the number of passes for about {_n_steps} optimiser steps, but at least
    {_epoch_range[0]} and at most {_epoch_range[1]}. On many rows it is less, down to one
    pass, so that there are no more than about {_most_steps} steps.
batch_size : int or "auto", default={batch_size}
    Number of rows in a batch; -1 means all rows. ``"auto"`` is {_auto_batch_size}, or all
    rows if there are fewer.
train_split : float, callable or None, default={train_split}
    Share of the rows that is not used for training, but to record ``valid_loss``; or a
    skorch split such as :class:`skorch.dataset.ValidSplit`. The threshold is computed from
    all rows.
callbacks : list or None, default=None
    Callbacks of skorch, or (name, callback) pairs. They are cloned before use.
contamination : float in (0, 0.5] or "auto", default={contamination}
    Share of outliers in the training rows; it determines ``offset_``. With ``"auto"`` a row
    is an outlier if its score is more than three robust standard deviations below the
    median of the training scores. The robust standard deviation is
    (median - first quartile) / 0.6745.
warm_start : bool, default=False
    Whether ``fit`` goes on with the network of the previous ``fit``, as ``partial_fit``
    does.
device : str or torch.device, default="cpu"
    Device of the network. ``"auto"`` is a GPU if there is one, otherwise the CPU.
compile : bool, default=False
    Whether to compile the network with :func:`torch.compile`.
verbose : int, default=0
    0 prints nothing, 1 shows a progress bar over the whole fit, 2 prints a table of epochs.
random_state : int, RandomState instance or None, default=None
    Seed of weights, batches and splits. With an int each fit gives equal scores; with None
    the scores differ. The global random generators of numpy, torch and Python are not
    changed.
**component__param
    Parameters of the components of skorch: ``optimizer__weight_decay``, ``module__...``,
    ``callbacks__<name>__<param>``, ``iterator_train__shuffle`` and so on. They can be set
    and searched like all other parameters. ``fit`` raises a ValueError if no component has
    a parameter of this name."""


COMMON_ATTRIBUTES = """\
offset_ : float
    Threshold of ``score_samples``: ``decision_function`` returns
    ``score_samples(X) - offset_``, which is negative for outliers.
history_ : skorch.history.History
    Training history, one row for each epoch, with ``train_loss`` and, if ``train_split`` is
    set, ``valid_loss``.
n_epochs_ : int
    Number of epochs that the network was trained for.
fit_warnings_ : list of str
    Texts of the warnings of the last ``fit`` or ``partial_fit``.
n_features_in_ : int
    Number of features.
feature_names_in_ : ndarray of shape (n_features,)
    Names of the features, if all column names of X are strings."""


ACTIVATION_PARAMETERS = """\
activation : str, default={activation}
    Activation of the hidden layers: one of "relu", "leaky_relu", "elu", "gelu",
    "silu", "tanh", "sigmoid".
dropout : float, default=0.0
    Share of hidden units that is dropped in training, in [0, 1)."""


class _Values(dict):
    """Values for ``{name}``: constructor defaults of a class, otherwise its attributes."""

    def __init__(self, cls):
        parameters = inspect.signature(cls).parameters
        super().__init__({n: repr(p.default).replace("'", '"') for n, p in parameters.items()})
        self.cls = cls

    def __missing__(self, name):
        return getattr(self.cls, name)


def fill_docstring(cls) -> None:
    """Replace each ``%(name)s`` in the docstring of a class with a shared text.

    The texts are in ``_doc_parts`` of the class and its bases. In a text, ``{name}`` is
    replaced with the default of a constructor parameter or with an attribute of the class.

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
