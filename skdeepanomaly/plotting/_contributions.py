"""Why a row was flagged."""

import numpy as np
from sklearn.pipeline import Pipeline

from ..utils._compat import n_rows, take_rows
from ..utils.nesting import nested_rows
from ._common import ANOMALY, NORMAL, import_pyplot, name_of, open_axes


class ContributionDisplay:
    """What each feature adds to the anomaly score of a row.

    Make it with :meth:`from_estimator` or :meth:`from_contributions`.

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
        row = _position(row, X)
        given = take_rows(X, [row])
        explaining, seen, names = _descend(detector, given)
        explained = explaining.explain(seen)
        names = getattr(explained, "columns", names)
        title = name_of(explaining)
        return cls.from_contributions(
            explained,
            _untransformed(given, seen, names),
            feature_names=names if feature_names is None else feature_names,
            name=f"{title}, row {row}" if name is None else name,
            ax=ax,
            **kwargs,
        )

    @classmethod
    def from_contributions(
        cls, contributions, X=None, *, row=0, feature_names=None, name=None, ax=None, **kwargs
    ):
        """Draw contributions that are there.

        Parameters
        ----------
        contributions : array-like or data frame of shape (n_samples, n_features)
            What features add to the anomaly scores of rows.
        X : array-like or data frame of shape (n_samples, n_features), default=None
            The rows, whose values are written beside the names of the features.
        row : int, default=0
            Which of the rows, by position; negative from the end.
        feature_names : sequence of str or None, default=None
            Names of the features. None takes those of a data frame.
        name : str or None, default=None
            Title; None takes the row.
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
            If there is no such row, or the numbers of contributions, values and names of
            its features differ.
        """
        import_pyplot(f"{cls.__name__}.from_contributions")
        row = _position(row, contributions)
        lengths = np.asarray(take_rows(contributions, [row]), dtype=np.float64)[0]
        names = (
            getattr(contributions, "columns", None) if feature_names is None else feature_names
        )
        values = None if X is None else np.asarray(take_rows(X, [row]), dtype=object)[0]
        for what, found in (("feature_names", names), ("X", values)):
            if found is not None and len(found) != len(lengths):
                raise ValueError(
                    f"There are contributions of {len(lengths)} features, and {what} has"
                    f" {len(found)}. Expected one for each."
                )
        return cls(
            contributions=lengths,
            feature_names=names,
            values=values,
            name=f"Row {row}" if name is None else name,
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
    for part, seen in nested_rows(detector, X):
        if hasattr(part, "explain"):
            return part, seen, names
        if isinstance(part, Pipeline) and len(part) > 1:
            try:
                names = part[:-1].get_feature_names_out(names)
            except AttributeError:
                # Some transformer, such as a FunctionTransformer, does not know.
                names = None
    raise ValueError(
        f"{name_of(detector)} has no explain(X): expected a detector that has, or a pipeline,"
        " search or detector around one."
    )


def _names(names, n_features: int) -> list[str]:
    return [f"x{i}" for i in range(n_features)] if names is None else list(names)


def _position(row: int, X) -> int:
    if not -n_rows(X) <= row < n_rows(X):
        raise ValueError(f"There is no row {row}: X has {n_rows(X)} rows.")
    return row % n_rows(X)


def _untransformed(given, seen, names):
    """Return the rows as they were given where they have the columns that are explained."""
    shape, columns = np.shape(given), getattr(given, "columns", None)
    is_same = len(shape) == 2 and names is not None and _names(columns, shape[1]) == list(names)
    return given if is_same else seen


def _write(value) -> str:
    return f"{value:.4g}" if isinstance(value, float | np.floating) else str(value)
