"""A report on what a detector flagged, as one HTML file."""

import json
import tempfile
import webbrowser
from collections.abc import Sequence
from numbers import Integral
from os import PathLike
from pathlib import Path
from typing import Any, Self

from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator

from ..utils.types import RandomState, Rows
from ._content import make_content
from ._page import in_frame, render


class AnomalyReport:
    """A page that shows which rows were flagged, why, and takes verdicts on them.

    The page is one HTML file that needs no network and no other file. A notebook shows it
    where the report is the last line of a cell.

    Parameters
    ----------
    detector : object
        A fitted outlier detector with ``decision_function``, or a pipeline or
        meta-estimator around one.
    X : array-like or data frame of shape (n_samples, n_columns)
        Rows to score: a table, or what else the detector takes: images, windows of series,
        or one series.
    y : array-like of shape (n_samples,) or None, default=None
        Labels for precision and recall: -1 anomaly, +1 normal, 0 not judged; or 1 anomaly,
        0 normal.
    title : str or None, default=None
        Title of the page; None names the detector.
    max_rows : int, default=200
        Number of rows to show: those with the highest anomaly scores.
    names : sequence of str or None, default=None
        Names of the columns; None takes those of the data frame.
    hide : sequence of labels, default=()
        Columns that must not be in the file, such as personal data: names, or positions
        where the columns have no names. The name of the index hides its labels.
    random_state : int, RandomState instance or None, default=None
        Seed of the draw of the rows that flagged rows are compared with, where there are
        many. With an int, the same input gives the same file.

    Raises
    ------
    ValueError
        If the detector is a classifier or cannot score new rows, a label or a column to
        hide is unknown, or ``max_rows`` is no positive integer.
    ImportError
        When the page is made, if jinja2 is not installed.

    See Also
    --------
    FeedbackDetector : Learns from the verdicts that the page exports.
    explain_columns : The contributions that the page shows.

    Notes
    -----
    The file holds the values of the ``max_rows`` rows that are shown, and of up to three
    similar normal rows for each of them; of all other rows it holds counts and quantiles.
    Columns of ``hide`` are left out of both, and so are the parameters of the detector then,
    which may quote them. The scores still depend on them, and what hidden columns add to a
    score is shown as one sum.

    Normal rows are those that the detector does not flag. Columns are compared on a sample of
    4,000 of them. Similar rows are the nearest ones among these, in the columns that the
    detector gets, each divided by its mean absolute deviation.

    Warnings of the training (``fit_warnings_``) and of the scoring become notes of the page.

    Examples
    --------
    >>> import numpy as np
    >>> from skdeepanomaly import AnomalyReport, AutoEncoder
    >>> X = np.random.default_rng(0).normal(size=(300, 3))
    >>> X[7] = [0, 0, 9]
    >>> detector = AutoEncoder(contamination=0.01, max_epochs=20, random_state=0).fit(X)
    >>> report = AnomalyReport(detector, X, names=["a", "b", "c"], random_state=0)
    >>> report.write_html("report.html")  # doctest: +SKIP
    >>> report
    AnomalyReport('AutoEncoder: anomaly report', 3 of 300 rows flagged)
    """

    def __init__(
        self,
        detector: BaseEstimator,
        X: Rows,
        y: ArrayLike | None = None,
        *,
        title: str | None = None,
        max_rows: int = 200,
        names: Sequence[str] | None = None,
        hide: Sequence[Any] = (),
        random_state: RandomState = None,
    ):
        self._content = _make(
            [detector],
            X,
            y,
            title=title,
            max_rows=max_rows,
            names=names,
            hide=hide,
            random_state=random_state,
        )

    @classmethod
    def compare(
        cls,
        detectors: Sequence[BaseEstimator],
        X: Rows,
        y: ArrayLike | None = None,
        *,
        title: str | None = None,
        max_rows: int = 200,
        names: Sequence[str] | None = None,
        hide: Sequence[Any] = (),
        random_state: RandomState = None,
    ) -> Self:
        """Make a report on where two detectors agree.

        Parameters
        ----------
        detectors : sequence of two detectors
            Fitted. The threshold that can be moved is that of the first one.
        X : array-like or data frame of shape (n_samples, n_columns)
            Rows, as both detectors take them.
        y : array-like of shape (n_samples,) or None, default=None
            Labels, as for one detector.
        title : str or None, default=None
            Title of the page; None names the detectors.
        max_rows : int, default=200
            Number of rows to show: those with the highest ranks by either detector.
        names : sequence of str or None, default=None
            Names of the columns.
        hide : sequence of labels, default=()
            Columns that must not be in the file.
        random_state : int, RandomState instance or None, default=None
            Seed, as for one detector.

        Returns
        -------
        report : AnomalyReport
            The report.

        Raises
        ------
        ValueError
            If there are not two detectors, or as for one detector.
        """
        detectors = list(detectors)
        if len(detectors) != 2:
            raise ValueError(f"compare takes two detectors, got {len(detectors)}.")
        report = cls.__new__(cls)
        report._content = _make(
            detectors,
            X,
            y,
            title=title,
            max_rows=max_rows,
            names=names,
            hide=hide,
            random_state=random_state,
        )
        return report

    def __repr__(self) -> str:
        scores = self._content["scores"]
        return (
            f"{type(self).__name__}({self._content['title']!r}, {scores['n_flagged']:,} of"
            f" {scores['n']:,} rows flagged)"
        )

    def _repr_html_(self) -> str:
        return in_frame(self._html())

    def _html(self) -> str:
        return render(self._content)

    def json(self) -> str:
        """Return all that the page shows, for programs.

        Returns
        -------
        text : str
            A JSON object. ``rows`` are the rows that are shown, the most unusual first, and
            ``scores["grid"]`` has numbers of flagged rows with their thresholds.
        """
        return json.dumps(self._content, allow_nan=False)

    def write_html(self, path: str | PathLike[str]) -> None:
        """Write the page to a file.

        Parameters
        ----------
        path : str or path-like
            The file; one that exists is replaced.

        Raises
        ------
        ImportError
            If jinja2 is not installed.
        """
        # A lone half of a character, which no file can hold, is written as its number.
        Path(path).write_bytes(self._html().encode("utf-8", "xmlcharrefreplace"))

    def open(self) -> Path:
        """Write the page to a temporary file and open it in a browser.

        Returns
        -------
        path : pathlib.Path
            The file, which is not deleted.

        Raises
        ------
        ImportError
            If jinja2 is not installed.
        """
        page = self._html().encode("utf-8", "xmlcharrefreplace")
        with tempfile.NamedTemporaryFile(
            "wb", prefix="anomaly_report_", suffix=".html", delete=False
        ) as file:
            file.write(page)
        path = Path(file.name)
        webbrowser.open(path.as_uri())
        return path


def _make(
    detectors: list[BaseEstimator],
    X: Rows,
    y: ArrayLike | None,
    *,
    max_rows: Any,
    **settings: Any,
) -> dict[str, Any]:
    if not isinstance(max_rows, Integral) or isinstance(max_rows, bool) or max_rows < 1:
        raise ValueError(f"max_rows must be an integer of at least 1, got {max_rows!r}.")
    return make_content(detectors, X, y, max_rows=int(max_rows), **settings)
