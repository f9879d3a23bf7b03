"""A pipeline from a table with columns of different kinds to a detector."""

import copy
import numbers

from sklearn import config_context
from sklearn.base import TransformerMixin, clone
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder
from sklearn.utils import check_array

from ._columns import KINDS, infer_kinds
from ._dates import calendar_names, clock_names, to_calendar, to_clock, to_days
from ._encoders import (
    RARE_SHARE,
    NgramEncoder,
    RareMissingImputer,
    RarityEncoder,
    StringConverter,
)
from ._scaling import SoftScaler
from ._values import to_numbers


def make_detector_pipeline(
    detector,
    *,
    numeric=(),
    categorical=(),
    date=(),
    text=(),
    drop=(),
    scaler="soft",
    max_categories=10,
    text_components=5,
    clean=False,
):
    r"""Make a pipeline that turns a table of mixed columns into numbers for a detector.

    The kinds of the columns are inferred when the pipeline is fitted: from the types of a
    pandas or polars frame and, for columns of Python objects or strings, from the values.
    New categories and new missing values do not stop the scoring; they count as unusual.

    Parameters
    ----------
    detector : estimator
        Outlier detector with the interface of scikit-learn; the last step of the pipeline.
    numeric, categorical, date, text : sequence of str or int, default=()
        Columns to treat as this kind instead of inferring it: names, or indices where the
        columns have no names. Strings are dates only where they are named in ``date``,
        and then in ISO form (2024-05-31 or 2024-05-31T23:59).
    drop : sequence of str or int, default=()
        Columns to leave out, such as identifiers.
    scaler : {"soft"} or transformer, default="soft"
        Scaler of numbers and dates; it must let NaN pass. "soft" standardises, and takes
        logarithms of values farther from the median than thirty robust standard
        deviations, so that one huge value does not flatten all others.
    max_categories : int, default=10
        Largest number of columns that one categorical column is encoded in.
    text_components : int, default=5
        Number of components that a text column is encoded in, beside its length.
    clean : bool, default=False
        Whether to put skrub's :class:`~skrub.Cleaner` first: it reads dates and numbers in
        strings, and takes strings such as "N/A" for missing values. It needs
        ``pip install "skdeepanomaly[table]"``.

    Returns
    -------
    pipeline : sklearn.pipeline.Pipeline
        The steps "encode", a :class:`~sklearn.compose.ColumnTransformer` that infers the
        kinds of its columns, and "detector"; with ``clean`` the step "clean" before them.

    Raises
    ------
    ImportError
        If ``clean`` is set and skrub is not installed.
    ValueError
        If columns are not given in a list. In ``fit``, if a column is named that is not
        there, or twice, or one in ``date`` holds nothing that can be read as a date; if
        the table is sparse, or two of its columns have the same name.

    See Also
    --------
    explain_columns : What each column of the table adds to the score of a row.

    Notes
    -----
    *Numbers* are scaled. Missing numbers become the median, with an indicator column.
    Where fewer than 1 % of the training rows lack a value, or none, a missing number is
    put far out instead, see below.

    *Categories*, booleans included, are one-hot encoded. Categories with a share of less
    than 1 % are counted as one, and missing is a category. In that encoding a category
    that was never seen is a row of zeros, nearer to all others than they are to each other.
    So there is a further column, the *rarity*: :math:`-\log p` for categories of a share p
    below 1 %, 0 for others, less its mean. With n training rows and c of the category,
    p = (c + 1) / (n + 1), so that a new category counts as :math:`\log(n + 1)`. Missing
    numbers that are as rare are put as far out.

    *Dates* become days, and the time of day and the weekday become points on circles.
    Weekdays and hours have a rarity, too. Months and years have none, because new ones
    always come.

    *Texts* become the leading components of the TF-IDF weights of their groups of 2 to 4
    characters [1]_, and the logarithm of their length. Strings are text where there are
    more than 40 different ones, most with more than one word.

    References
    ----------
    .. [1] S. Deerwester, S. Dumais, G. Furnas, T. Landauer, R. Harshman, "Indexing by
       latent semantic analysis", Journal of the American Society for Information Science,
       1990.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from sklearn.ensemble import IsolationForest
    >>> from skdeepanomaly import make_detector_pipeline
    >>> rng = np.random.default_rng(0)
    >>> table = pd.DataFrame({
    ...     "amount": rng.lognormal(size=500),
    ...     "country": rng.choice(["FI", "SE", "NO"], 500),
    ...     "day": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 90, 500), "D"),
    ... })
    >>> detector = IsolationForest(contamination=0.01, random_state=0)
    >>> pipeline = make_detector_pipeline(detector).fit(table)
    >>> new = table[:2].assign(amount=[1.0, 5000.0], country=["SE", "XX"])
    >>> pipeline.predict(new)
    array([ 1, -1])
    """
    given = {
        "numeric": numeric,
        "categorical": categorical,
        "date": date,
        "text": text,
        "drop": drop,
    }
    for kind, columns in given.items():
        if isinstance(columns, str | numbers.Integral):
            raise ValueError(
                f"{kind} takes a list of columns, got {columns!r}. Pass {kind}=[{columns!r}]."
            )
    given = {kind: list(columns) for kind, columns in given.items()}

    imputer = RareMissingImputer(
        strategy="median", add_indicator=True, keep_empty_features=True
    )

    def numbers_from(function):
        return make_pipeline(_stateless(function), _scaler(scaler), clone(imputer))

    one_hot = OneHotEncoder(
        min_frequency=RARE_SHARE,
        max_categories=max_categories,
        handle_unknown="infrequent_if_exist",
        sparse_output=False,
    )
    calendar = _stateless(to_calendar, calendar_names)
    ngrams = NgramEncoder(n_components=text_components)
    encode = TableEncoder(
        [
            ("numeric", numbers_from(to_numbers), "numeric"),
            ("category", make_pipeline(StringConverter(), one_hot), "categorical"),
            ("rarity", make_pipeline(StringConverter(), RarityEncoder()), "categorical"),
            ("date", numbers_from(to_days), "date"),
            ("clock", make_pipeline(_stateless(to_clock, clock_names)), "date"),
            ("calendar", make_pipeline(calendar, RarityEncoder()), "date"),
            ("text", make_pipeline(StringConverter(), ngrams), "text"),
        ],
        given={kind: columns for kind, columns in given.items() if columns},
    )
    steps = [("encode", encode), ("detector", detector)]
    return Pipeline([("clean", _cleaner()), *steps] if clean else steps)


class TableEncoder(ColumnTransformer):
    """Apply transformers to the columns of a table by their kinds.

    It is a :class:`~sklearn.compose.ColumnTransformer` that infers in ``fit`` which columns
    hold numbers, categories, dates or texts. A column is inferred once, for all
    transformers of its kind.

    Parameters
    ----------
    transformers : list of tuple
        Tuples (name, transformer, kind); the kinds are "numeric", "categorical", "date"
        and "text". The transformers hand arrays to each other.
    given : dict of str to list of str or list of int, default=None
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

    See Also
    --------
    make_detector_pipeline : Put such an encoder in front of a detector.
    """

    def __init__(
        self,
        transformers,
        *,
        given=None,
        n_jobs=None,
        transformer_weights=None,
        verbose=False,
        verbose_feature_names_out=True,
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

    def set_output(self, *, transform=None):
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

    def fit_transform(self, X, y=None, **params):
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
        if not hasattr(X, "shape"):
            X = check_array(X, dtype=object, ensure_all_finite="allow-nan")
        columns = infer_kinds(X, given)
        # Parameters must not change in fit. So a copy is fitted, with columns in place of
        # kinds, and all its attributes but that parameter are taken over.
        fitted = copy.copy(self)
        fitted.transformers = [
            (name, part, columns[kind]) for name, part, kind in self.transformers
        ]
        with config_context(transform_output="default"):
            encoded = super(TableEncoder, fitted).fit_transform(X, y, **params)
        self.__dict__ = vars(fitted) | {"transformers": self.transformers}
        return encoded

    def transform(self, X, **params):
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
        with config_context(transform_output="default"):
            return super().transform(X, **params)


def _stateless(function, names="one-to-one"):
    return FunctionTransformer(function, feature_names_out=names)


def _scaler(scaler):
    if not isinstance(scaler, str):
        return clone(scaler)
    if scaler != "soft":
        raise ValueError(f'scaler must be "soft" or a transformer, got {scaler!r}.')
    return SoftScaler()


def _cleaner():
    try:
        from skrub import Cleaner
    except ImportError as error:
        raise ImportError(
            'clean=True needs skrub: pip install "skdeepanomaly[table]".'
        ) from error
    return Cleaner(drop_null_fraction=None, parse_numbers=True)
