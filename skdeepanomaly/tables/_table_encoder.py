"""A column transformer that finds the columns of each kind by itself."""

import copy
from collections.abc import Callable
from typing import Any, Literal, Self

from numpy.typing import ArrayLike
from sklearn import config_context
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import ColumnTransformer
from sklearn.utils.validation import check_is_fitted

from ..utils.warn import warn_user
from ._columns import KINDS, MAX_LOST, READERS, lost_values, summarize_columns
from ._input import as_table, labels_of
from ._values import split_columns


class TableEncoder(ColumnTransformer):
    """Apply transformers to the columns of a table by their kinds.

    It is a :class:`~sklearn.compose.ColumnTransformer` that infers in ``fit`` which columns
    hold numbers, categories, dates or texts. A column is inferred once, for all
    transformers of its kind.

    Parameters
    ----------
    transformers : list of tuple
        Tuples (name, transformer, kind); the kinds are "numeric", "categorical", "date",
        "time" and "text". The transformers hand arrays to each other.
    given : dict of str to list of labels, default=None
        For kinds, and for "drop", the columns to treat so without inference: names, or
        indices where the columns have no names.
    n_jobs : int, default=None
        Number of jobs, as in ``ColumnTransformer``.
    transformer_weights : dict, default=None
        Factors for the outputs of transformers, as in ``ColumnTransformer``.
    verbose : bool, default=False
        Whether to print the seconds that each transformer takes to fit.
    verbose_feature_names_out : bool, str or callable, default=True
        Names of the encoded columns, as in ``ColumnTransformer``.

    Attributes
    ----------
    transformers_ : list of tuple
        Tuples (name, fitted transformer, columns): the inferred columns of each kind.
    column_kinds_ : dict of label to str
        The kind of each column, in the order of the table: "numeric", "categorical",
        "date", "time", "text", "identifier" or "drop".
    column_summaries_ : list of ColumnSummary
        What was understood of each column: its label, kind, the reason of the kind, and the
        shares of missing, unread and unseen values.

    See Also
    --------
    make_detector_pipeline : Put such an encoder in front of a detector.
    """

    def __init__(
        self,
        transformers: list[tuple[str, BaseEstimator, str]],
        *,
        given: dict[str, list[Any]] | None = None,
        n_jobs: int | None = None,
        transformer_weights: dict[str, float] | None = None,
        verbose: int = False,
        verbose_feature_names_out: bool | str | Callable[[str, str], str] = True,
    ):
        super().__init__(
            transformers,
            sparse_threshold=0,
            n_jobs=n_jobs,
            transformer_weights=transformer_weights,
            verbose=verbose,
            verbose_feature_names_out=verbose_feature_names_out,
        )
        self.given = given

    def set_output(
        self, *, transform: Literal["default", "pandas", "polars"] | None = None
    ) -> Self:
        """Set the container that the encoded columns are returned in.

        Parameters
        ----------
        transform : {"default", "pandas", "polars"}, default=None
            As in ``ColumnTransformer``. The transformers inside keep returning arrays: a
            frame would change the types of strings, None and whole numbers.

        Returns
        -------
        self : object
            The encoder.
        """
        return TransformerMixin.set_output(self, transform=transform)

    def fit_transform(self, X: ArrayLike, y: ArrayLike | None = None, **params: Any) -> Any:
        """Infer the kinds of the columns, fit the transformers and encode the table.

        Parameters
        ----------
        X : data frame or array of shape (n_samples, n_columns)
            The table.
        y : array-like of shape (n_samples,), default=None
            Passed on to the transformers.
        **params : dict
            Passed on to the transformers.

        Returns
        -------
        encoded : ndarray or data frame of shape (n_samples, n_features)
            The encoded columns.

        Raises
        ------
        ValueError
            If a kind is unknown; if ``given`` names a column that is not there, or twice,
            or names one in "date" that holds no dates; if the table is sparse or not
            two-dimensional, or two of its columns have the same name.
        """
        given = self.given or {}
        wanted = {kind for _, _, kind in self.transformers}
        unknown = sorted((wanted - {*KINDS}) | (given.keys() - {*KINDS, "drop"}))
        if unknown:
            raise ValueError(
                f"Expected the kinds {', '.join(KINDS)}, and drop in given; got {unknown[0]!r}."
            )
        X = as_table(X)
        summaries = summarize_columns(X, given)
        labels = [summary.label for summary in summaries]
        # Parameters must not change in fit. So a copy is fitted, with columns in place of
        # kinds, and all its attributes but that parameter are taken over.
        fitted = copy.copy(self)
        fitted.column_summaries_ = summaries
        fitted.column_kinds_ = {summary.label: summary.kind for summary in summaries}
        # Scikit-learn selects by name only if all names are strings.
        columns = labels if _are_names(labels) else range(len(labels))
        fitted.transformers = [
            (name, part, [c for c, s in zip(columns, summaries, strict=True) if s.kind == kind])
            for name, part, kind in self.transformers
        ]
        if not any(group for _, _, group in fitted.transformers):
            raise ValueError(
                "No column is left to encode: all are identifiers or dropped. Name those to"
                " keep in numeric or categorical."
            )
        with config_context(transform_output="default"):
            encoded = super(TableEncoder, fitted).fit_transform(
                fitted._in_order(X), y, **params
            )
        self.__dict__ = vars(fitted) | {"transformers": self.transformers}
        return encoded

    def transform(self, X: ArrayLike, **params: Any) -> Any:
        """Encode a table.

        Parameters
        ----------
        X : data frame or array of shape (n_samples, n_columns)
            The table; a frame may have its columns in another order, and further ones.
        **params : dict
            Passed on to the transformers.

        Returns
        -------
        encoded : ndarray or data frame of shape (n_samples, n_features)
            The encoded columns.
        """
        check_is_fitted(self)
        X = self._in_order(as_table(X))
        self._warn_of_lost_values(X)
        with config_context(transform_output="default"):
            return super().transform(X, **params)

    def describe_columns(self) -> str:
        """Return a text that shows what was understood of the columns in ``fit``.

        Returns
        -------
        description : str
            A table with one line for each column: its label and kind; whether that was
            named, is the type of the column or was inferred from its values; and the shares
            of missing values, of values that cannot be read, and of new rows whose value is
            expected to be unseen.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If the encoder is not fitted.
        """
        check_is_fitted(self)
        lines = [("column", "kind", "because", "missing", "unread", "unseen")]
        for summary in self.column_summaries_:
            shares = (summary.missing, summary.unread, summary.unseen)
            shown = [f"{share:.2%}" if share else "-" for share in shares]
            lines.append((str(summary.label), summary.kind, summary.reason, *shown))
        widths = [max(map(len, cells)) for cells in zip(*lines, strict=True)]
        return "\n".join(
            "  ".join(cell.ljust(n) for cell, n in zip(line, widths, strict=True)).rstrip()
            for line in lines
        )

    def _in_order(self, X: Any) -> Any:
        """Return a table with its columns in the order of ``fit``.

        Scikit-learn finds columns by names that are strings. Other labels are found here,
        and then taken off, because scikit-learn refuses them beside strings.
        """
        wanted, labels = list(self.column_kinds_), labels_of(X)
        if _are_names(wanted) or _are_names(labels) or not hasattr(X, "columns"):
            if wanted != list(range(len(wanted))) and not hasattr(X, "columns"):
                raise ValueError(
                    f"Expected a frame with the columns of fit, labelled {wanted[0]!r}, ...;"
                    " got an array, whose columns have no labels."
                )
            return X
        missing = [label for label in wanted if label not in labels]
        if missing:
            raise ValueError(
                f"Expected a frame with the columns of fit, got none labelled"
                f" {', '.join(map(repr, missing[:5]))}."
            )
        X = X.iloc[:, [labels.index(label) for label in wanted]]
        return X.set_axis(range(len(wanted)), axis=1)

    def _warn_of_lost_values(self, X: Any) -> None:
        columns = dict(zip(labels_of(X), split_columns(X), strict=True))
        notes = []
        for place, (label, kind) in enumerate(self.column_kinds_.items()):
            column = columns.get(label if label in columns else place)
            if kind in READERS and column is not None:
                notes.append(lost_values(column, label, kind, MAX_LOST)[1])
        if notes := [note for note in notes if note]:
            warn_user("\n".join(notes))


def _are_names(labels: list[Any]) -> bool:
    return all(isinstance(label, str) for label in labels)
