"""Contributions of features to the score of a row."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline

from ..utils._compat import n_rows, take_rows
from ..utils.frames import column_names
from ..utils.nesting import nested_rows
from ..utils.types import Floats, Rows
from ._common import ANOMALY, NORMAL, Axes, import_pyplot, name_of, open_axes

# Grey, for the sum of the features that are not shown.
OTHERS = "0.6"


class ContributionDisplay:
    """Bars of what each feature adds to the anomaly score of a row.

    Make it with :meth:`from_estimator` or :meth:`from_contributions`.

    Parameters
    ----------
    contributions : ndarray of shape (n_features,)
        Contributions of the features, in units of the score.
    feature_names : sequence of str of length n_features or None, default=None
        Names of the features; None calls them ``x0``, ``x1`` and so on.
    values : sequence of length n_features or None, default=None
        Values of the features in the row, which are written beside the names.
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

    def __init__(
        self,
        *,
        contributions: Floats,
        feature_names: Sequence[str] | None = None,
        values: Sequence[Any] | NDArray[Any] | None = None,
        name: str | None = None,
    ):
        self.contributions = contributions
        self.feature_names = feature_names
        self.values = values
        self.name = name

    @classmethod
    def from_estimator(
        cls,
        detector: BaseEstimator,
        X: Rows,
        *,
        row: int = 0,
        feature_names: Sequence[str] | None = None,
        name: str | None = None,
        ax: Axes | None = None,
        **kwargs: Any,
    ) -> Self:
        """Draw the contributions that ``explain`` of a detector gives for a row.

        Parameters
        ----------
        detector : object
            A fitted detector with ``explain``, or a pipeline, search or meta-estimator around
            one. In a pipeline, the features are the outputs of the transformers.
        X : array-like of shape (n_samples, n_features)
            Rows.
        row : int, default=0
            Which of the rows, by position; negative from the end.
        feature_names : sequence of str or None, default=None
            Names of the features that the detector sees. None takes the names that the
            detector saw in ``fit``, or else those that the transformers or X give.
        name : str or None, default=None
            Title; None takes the name of the detector's class and the row.
        ax : matplotlib Axes or None, default=None
            Where to draw; None makes a figure.
        **kwargs : dict
            Passed on to :meth:`plot`.

        Returns
        -------
        display : ContributionDisplay
            The display that was drawn.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If the detector has no ``explain``, there is no such row, or there are more or
            fewer names than features.
        sklearn.exceptions.NotFittedError
            If the detector is not fitted.
        """
        import_pyplot()
        row = _position(row, X)
        given = take_rows(X, [row])
        explaining, seen, names = _descend(detector, given)
        return cls.from_contributions(
            explaining.explain(seen),
            _untransformed(given, seen, names),
            feature_names=names if feature_names is None else feature_names,
            name=f"{name_of(explaining)}, row {row}" if name is None else name,
            ax=ax,
            **kwargs,
        )

    @classmethod
    def from_contributions(
        cls,
        contributions: ArrayLike,
        X: ArrayLike | None = None,
        *,
        row: int = 0,
        feature_names: Sequence[str] | None = None,
        name: str | None = None,
        ax: Axes | None = None,
        **kwargs: Any,
    ) -> Self:
        """Draw contributions that have been computed before.

        Parameters
        ----------
        contributions : array-like or data frame of shape (n_samples, n_features)
            Contributions of features to the anomaly scores of rows, as ``explain`` or
            ``explain_columns`` gives them.
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
            The display that was drawn.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If there is no such row, or the numbers of contributions, values and names of
            its features differ.
        """
        row = _position(row, contributions)
        lengths = np.asarray(take_rows(contributions, [row]), dtype=np.float64)[0]
        names = column_names(contributions) if feature_names is None else feature_names
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

    def plot(
        self,
        ax: Axes | None = None,
        *,
        name: str | None = None,
        max_features: int = 10,
        **kwargs: Any,
    ) -> Self:
        """Draw the bars.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Where to draw; None makes a figure.
        name : str or None, default=None
            Title; None takes that of the display.
        max_features : int, default=10
            Number of features to draw: those with the largest absolute contributions. One
            more bar is the sum of all others.
        **kwargs : dict
            Passed on to :meth:`matplotlib.axes.Axes.barh`.

        Returns
        -------
        display : ContributionDisplay
            The display.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If ``max_features`` is less than 1.
        """
        if max_features < 1:
            raise ValueError(f"max_features must be at least 1, got {max_features}.")
        self.ax_ = open_axes(ax)
        self.figure_ = self.ax_.figure
        contributions = np.asarray(self.contributions, dtype=np.float64)
        names = _names(self.feature_names, len(contributions))
        order = np.argsort(-np.abs(contributions), kind="stable")
        shown, others = order[:max_features], order[max_features:]
        labels = [
            names[i] if self.values is None else f"{names[i]} = {_write(self.values[i])}"
            for i in shown
        ]
        lengths = contributions[shown]
        colors = np.where(lengths > 0, ANOMALY, NORMAL)
        if len(others):
            labels.append(f"{len(others)} other feature{'s' if len(others) > 1 else ''}")
            lengths = np.append(lengths, contributions[others].sum())
            colors = np.append(colors, OTHERS)
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


def _descend(detector: BaseEstimator, X: Rows) -> tuple[Any, Rows, Any]:
    """Return the part that explains, the rows as it sees them, and names of their features."""
    names = column_names(X)
    for part, seen in nested_rows(detector, X):
        if hasattr(part, "explain"):
            return part, seen, getattr(part, "feature_names_in_", names)
        if isinstance(part, Pipeline) and len(part) > 1:
            try:
                names = part[:-1].get_feature_names_out(names)
            except AttributeError:
                # Some transformers, such as most FunctionTransformers, know no names.
                names = None
    raise ValueError(
        f"{name_of(detector)} has no explain(X): expected a detector that has, or a pipeline,"
        " search or meta-estimator around one."
    )


def _names(names: Sequence[str] | None, n_features: int) -> list[str]:
    return [f"x{i}" for i in range(n_features)] if names is None else list(names)


def _position(row: int, X: Rows) -> int:
    if not -n_rows(X) <= row < n_rows(X):
        raise ValueError(f"There is no row {row}: X has {n_rows(X)} rows.")
    return row % n_rows(X)


def _untransformed(given: Any, seen: Any, names: Sequence[str] | None) -> Any:
    """Return the rows as given if they have the explained features, else as transformed."""
    shape = np.shape(given)
    is_same = (
        len(shape) == 2
        and names is not None
        and _names(column_names(given), shape[1]) == list(names)
    )
    return given if is_same else seen


def _write(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float | np.floating) else str(value)
