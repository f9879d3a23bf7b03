"""Why a row was flagged."""

import numpy as np
from sklearn.pipeline import Pipeline

from ..utils._compat import n_rows, take_rows
from ._common import ANOMALY, NORMAL, import_pyplot, name_of, nested, open_axes


class ContributionDisplay:
    """What each feature adds to the anomaly score of a row.

    Make it with :meth:`from_estimator`.

    Parameters
    ----------
    contributions : ndarray of shape (n_features,)
        What features add, in units of the score.
    feature_names : sequence of str or None, default=None
        Their names; None calls them ``x0``, ``x1`` and so on.
    values : sequence or None, default=None
        Their values in the row, which are written beside the names.
    name : str or None, default=None
        Title of the picture.

    Attributes
    ----------
    bars_ : matplotlib BarContainer
        The bars, from the top to the bottom.
    ax_ : matplotlib Axes
        Axes with the bars.
    figure_ : matplotlib Figure
        Figure with the axes.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> import numpy as np
    >>> from skdeepanomaly import AutoEncoder, ContributionDisplay
    >>> X = np.random.default_rng(0).normal(size=(200, 3))
    >>> detector = AutoEncoder(max_epochs=5, random_state=0).fit(X)
    >>> display = ContributionDisplay.from_estimator(detector, [[0, 0, 9]])
    >>> display.ax_.get_yticklabels()[0].get_text()
    'x2 = 9'
    >>> plt.close(display.figure_)
    """

    def __init__(self, *, contributions, feature_names=None, values=None, name=None):
        self.contributions = contributions
        self.feature_names = feature_names
        self.values = values
        self.name = name

    @classmethod
    def from_estimator(
        cls, detector, X, *, row=0, feature_names=None, name=None, ax=None, **kwargs
    ):
        """Draw what ``explain`` gives for a row.

        Parameters
        ----------
        detector : object
            A fitted detector with ``explain``, or a pipeline, search or detector around one.
            The features are those that the detector itself sees, behind the transformers of
            a pipeline.
        X : array-like of shape (n_samples, n_features)
            Rows.
        row : int, default=0
            Which of the rows, by position; negative from the end.
        feature_names : sequence of str or None, default=None
            Names of the features that the detector sees. None takes the names that the
            detector or the transformers know.
        name : str or None, default=None
            Title; None takes the name of the detector's class and the row.
        ax : matplotlib Axes or None, default=None
            Where to draw; None makes a figure.
        **kwargs : dict
            Passed on to :meth:`plot`.

        Returns
        -------
        display : ContributionDisplay
            What was drawn.

        Raises
        ------
        ValueError
            If nothing can explain a score, there is no such row, or there are more or less
            names than features.
        """
        import_pyplot(f"{cls.__name__}.from_estimator")
        if not -n_rows(X) <= row < n_rows(X):
            raise ValueError(f"There is no row {row}: X has {n_rows(X)} rows.")
        row %= n_rows(X)
        given = take_rows(X, [row])
        explaining, seen, known = _descend(detector, given)
        explained = explaining.explain(seen)
        contributions = np.asarray(explained)[0]
        known = getattr(explained, "columns", known)
        names = known if feature_names is None else feature_names
        if names is not None and len(names) != len(contributions):
            raise ValueError(
                f"feature_names must hold {len(contributions)} names, one a feature that"
                f" {name_of(explaining)} sees, got {len(names)}."
            )
        return cls(
            contributions=contributions,
            feature_names=names,
            values=_values(given, seen, known),
            name=f"{name_of(explaining)}, row {row}" if name is None else name,
        ).plot(ax, **kwargs)

    def plot(self, ax=None, *, name=None, max_features=10, **kwargs):
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Where to draw; None makes a figure.
        name : str or None, default=None
            Title; None takes that of the display.
        max_features : int, default=10
            How many features are drawn, those with the largest contributions, up or down;
            one more bar is the sum of all others.
        **kwargs : dict
            Passed on to :meth:`matplotlib.axes.Axes.barh`.

        Returns
        -------
        display : ContributionDisplay
            The display.
        """
        if max_features < 1:
            raise ValueError(f"max_features must be at least 1, got {max_features}.")
        self.ax_ = open_axes(ax, f"{type(self).__name__}.plot")
        self.figure_ = self.ax_.figure
        contributions = np.asarray(self.contributions, dtype=np.float64)
        names = _names(self.feature_names, len(contributions))
        order = np.argsort(-np.abs(contributions), kind="stable")
        shown, others = order[:max_features], order[max_features:]
        labels = [
            names[i] if self.values is None else f"{names[i]} = {_write(self.values[i])}"
            for i in shown
        ]
        lengths, colors = (
            contributions[shown],
            np.where(contributions[shown] > 0, ANOMALY, NORMAL),
        )
        if len(others):
            labels.append(f"{len(others)} other feature{'s' if len(others) > 1 else ''}")
            lengths = np.append(lengths, contributions[others].sum())
            colors = np.append(colors, "0.6")
        style = {"color": colors, **kwargs}
        self.bars_ = self.ax_.barh(range(len(labels)), lengths, **style)
        self.ax_.set_yticks(range(len(labels)), labels)
        self.ax_.invert_yaxis()
        self.ax_.axvline(0, color="black", linewidth=0.8)
        self.ax_.set(
            xlabel="Contribution to the anomaly score",
            title=self.name if name is None else name,
        )
        return self


def _descend(detector, X):
    """Return what explains, rows as it sees them, and the names of their features."""
    names = getattr(X, "columns", None)
    for part in nested(detector):
        if hasattr(part, "explain"):
            return part, X, names
        if isinstance(part, Pipeline) and len(part) > 1:
            transformers = part[:-1]
            X = transformers.transform(X)
            try:
                names = transformers.get_feature_names_out(names)
            except AttributeError:
                # Some transformer, such as a FunctionTransformer, does not know.
                names = None
    raise ValueError(
        f"{name_of(detector)} has no explain(X): expected a detector that has, or a pipeline,"
        " search or detector around one."
    )


def _names(names, n_features: int) -> list[str]:
    return [f"x{i}" for i in range(n_features)] if names is None else list(names)


def _values(given, seen, names):
    """Return the values of features in a row, untransformed where the columns are the same."""
    given, columns = np.asarray(given, dtype=object), getattr(given, "columns", None)
    if given.ndim == 2 and names is not None:
        if _names(columns, given.shape[1]) == list(names):
            return given[0]
    return np.asarray(seen, dtype=object)[0]


def _write(value) -> str:
    return f"{value:.4g}" if isinstance(value, float | np.floating) else str(value)
