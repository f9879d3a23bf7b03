"""From a table as it comes, with columns of every kind, to a detector."""

import datetime
import numbers
import re
from collections import Counter
from decimal import Decimal

import numpy as np
from scipy.sparse import issparse
from sklearn import config_context
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin, clone
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    OneHotEncoder,
    RobustScaler,
    StandardScaler,
)
from sklearn.utils.validation import check_is_fitted

from ..utils._compat import n_rows, take_rows
from ..utils.validation import check_columns

# A value counts as rare below this share of the training rows.
RARE_SHARE = 0.01
# The kind of a column of objects is told from at most this many rows, spread over the table.
MAX_ROWS_FOR_KIND = 10_000
# Strings are text rather than categories where there are more distinct ones than that, and
# most consist of more than one word.
MAX_CATEGORIES = 40

# Groups of characters that are counted in a column of text.
MAX_TERMS = 5_000

# What databases and files make of booleans.
BOOLEANS = {"0": "False", "1": "True", "false": "False", "true": "True"}

# What the names of dtypes begin with in pandas, polars, pyarrow and numpy.
KINDS_OF_DTYPES = {
    r"u?int\d|float|double|half|decimal|timedelta|duration": "numeric",
    r"bool|categor|enum|dictionary": "categorical",
    r"date|timestamp|period": "date",
}


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
    r"""Put in front of a detector what turns a table of mixed columns into numbers.

    The kinds of the columns are told when the pipeline is fitted, from the types of a
    pandas or polars frame and, for columns of Python objects or strings, from the values.
    New categories and new missing values do not stop the scoring; they count as unusual.

    Parameters
    ----------
    detector : estimator
        Outlier detector of scikit-learn's kind; the last step of the pipeline.
    numeric, categorical, date, text : sequence of str or int, default=()
        Columns whose kind is not to be told from the data: names, or indices where the
        columns have no names. Strings are dates only where they are named in ``date``,
        and then in ISO form (2024-05-31 or 2024-05-31T23:59).
    drop : sequence of str or int, default=()
        Columns to leave out, such as identifiers.
    scaler : {"soft"} or transformer, default="soft"
        What scales numbers and dates; it must let NaN pass. "soft" standardises, and takes
        logarithms of what lies farther from the median than thirty robust standard
        deviations, so that one huge value does not flatten all others.
    max_categories : int, default=10
        Columns that a categorical column is spread over, at most.
    text_components : int, default=5
        Columns that a text column becomes, beside its length.
    clean : bool, default=False
        Whether skrub's :class:`~skrub.Cleaner` goes first: it makes dates and numbers of
        strings that look like them, and missing values of strings such as "N/A". It takes
        ``pip install "skdeepanomaly[table]"``.

    Returns
    -------
    pipeline : sklearn.pipeline.Pipeline
        The steps "encode", a :class:`~sklearn.compose.ColumnTransformer`, and "detector";
        with ``clean`` the step "clean" before them.

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
    *Numbers* are scaled; missing ones become the median, with an indicator column. Where
    fewer than 1 % of the training rows lack a value, or none, a missing one is put far out
    instead, see below.

    *Categories*, booleans included, are one-hot encoded; those with a share of less than
    1 % are counted as one, and missing is a category. In that encoding a category that
    was never seen is a row of zeros, nearer to all others than they are to each other. So
    there is a further column, the *rarity*: :math:`-\log p` for categories of a share p
    below 1 %, 0 for others, less its mean. With n training rows and c of the category,
    p = (c + 1) / (n + 1), so that a new category counts as :math:`\log(n + 1)`. Missing
    numbers that are as rare are put as far out.

    *Dates* become days, and the time of day and the weekday points on circles; weekdays
    and hours have a rarity, too. Months and years do not, because new ones always come.

    *Texts* become the leading components of their TF-IDF weights of groups of 2 to 4
    characters, and the logarithm of their length. Strings are text where there are more
    than 40 different ones, most with more than one word.

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
    chosen = {
        "numeric": numeric,
        "categorical": categorical,
        "date": date,
        "text": text,
        "drop": drop,
    }
    for kind, columns in chosen.items():
        if isinstance(columns, str | numbers.Integral):
            raise ValueError(
                f"{kind} takes a list of columns, got {columns!r}. Pass {kind}=[{columns!r}]."
            )

    imputer = RareMissingImputer(
        strategy="median", add_indicator=True, keep_empty_features=True
    )

    def numbers_from(function):
        return _block(_stateless(function), _scaler(scaler), clone(imputer))

    one_hot = OneHotEncoder(
        min_frequency=RARE_SHARE,
        max_categories=max_categories,
        handle_unknown="infrequent_if_exist",
        sparse_output=False,
    )
    strings = StringEncoder()
    calendar = _stateless(to_calendar, calendar_names)
    blocks = [
        ("numeric", numbers_from(to_numbers), "numeric"),
        ("category", _block(strings, one_hot), "categorical"),
        ("rarity", _block(strings, RarityEncoder()), "categorical"),
        ("date", numbers_from(to_days), "date"),
        ("clock", _block(_stateless(to_clock, clock_names)), "date"),
        ("calendar", _block(calendar, RarityEncoder()), "date"),
        ("text", _block(strings, TextEncoder(n_components=text_components)), "text"),
    ]
    encode = ColumnTransformer(
        [(name, block, ColumnKind(kind, chosen)) for name, block, kind in blocks],
        sparse_threshold=0,
    )
    steps = [("encode", encode), ("detector", detector)]
    return Pipeline([("clean", _cleaner()), *steps] if clean else steps)


class Block(Pipeline):
    """Steps that hand arrays to each other, whatever the output of the whole is to be.

    A frame would turn strings, None and whole numbers into what its library makes of them.
    """

    def set_output(self, *, transform=None):
        """Change nothing: the column transformer names the columns.

        Parameters
        ----------
        transform : {"default", "pandas", "polars"}, default=None
            Ignored.

        Returns
        -------
        self : object
            The block.
        """
        return self

    def fit(self, X, y=None, **params):
        """Fit the steps.

        Parameters
        ----------
        X : data frame or array of shape (n_samples, n_columns)
            The columns.
        y : array-like, default=None
            Passed on.
        **params : dict
            Passed on.

        Returns
        -------
        self : object
            The fitted block.
        """
        with config_context(transform_output="default"):
            return super().fit(X, y, **params)

    def fit_transform(self, X, y=None, **params):
        """Fit the steps and encode the columns.

        Parameters
        ----------
        X : data frame or array of shape (n_samples, n_columns)
            The columns.
        y : array-like, default=None
            Passed on.
        **params : dict
            Passed on.

        Returns
        -------
        encoded : ndarray
            Numbers.
        """
        with config_context(transform_output="default"):
            return super().fit_transform(X, y, **params)

    def transform(self, X, **params):
        """Encode columns.

        Parameters
        ----------
        X : data frame or array of shape (n_samples, n_columns)
            The columns.
        **params : dict
            Passed on.

        Returns
        -------
        encoded : ndarray
            Numbers.
        """
        with config_context(transform_output="default"):
            return super().transform(X, **params)


def _block(*steps) -> Block:
    return Block(make_pipeline(*steps).steps)


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


class ColumnKind:
    """Select the columns of one kind, as ``make_column_selector`` does, in any frame.

    Parameters
    ----------
    kind : {"numeric", "categorical", "date", "text"}
        The kind.
    chosen : dict
        For each kind, and for "drop", columns whose kind is not to be told from the data.
    """

    def __init__(self, kind, chosen):
        self.kind = kind
        self.chosen = {name: list(columns) for name, columns in chosen.items()}

    def __repr__(self):
        named = {name: columns for name, columns in self.chosen.items() if columns}
        return f"ColumnKind({self.kind!r}{f', {named!r}' if named else ''})"

    def __call__(self, X):
        """Return the names of the columns, or their indices where they have none.

        Parameters
        ----------
        X : data frame or array of shape (n_samples, n_columns)
            The table.

        Returns
        -------
        columns : list of str or list of int
            Those of the kind.
        """
        columns = split_columns(X)
        names = list(getattr(X, "columns", range(len(columns))))
        named = all(isinstance(name, str) for name in names)
        given = [(kind, column) for kind, listed in self.chosen.items() for column in listed]
        places = check_columns([c for _, c in given], len(names), names if named else None)
        kinds = {place: kind for (kind, _), place in zip(given, places, strict=True)}
        # Once, by the selector of the dates: it reads whole columns.
        if self.kind == "date":
            for place, kind in kinds.items():
                if kind == "date":
                    _check_dates(columns[place], names[place])
        step = max(1, n_rows(X) // MAX_ROWS_FOR_KIND)
        sample = split_columns(take_rows(X, np.arange(0, n_rows(X), step)))
        of_kind = [
            place
            for place, column in enumerate(sample)
            if (kinds.get(place) or kind_of(column)) == self.kind
        ]
        return [names[place] for place in of_kind] if named else of_kind


def split_columns(X) -> list:
    """Return the columns of an array or a frame, as arrays or series."""
    if issparse(X):
        raise ValueError(
            "Expected a table as a data frame or a dense array, got a sparse matrix. Convert"
            " it with X.toarray(), or give the detector the matrix without this pipeline."
        )
    if len(X.shape) != 2:
        raise ValueError(
            f"Expected a table of rows and columns, got the shape {X.shape}. Take a single row"
            " as X[:1], a single column as X[[name]]."
        )
    counts = Counter(name for name in getattr(X, "columns", ()) if isinstance(name, str))
    if counts and max(counts.values()) > 1:
        name, n_columns = counts.most_common(1)[0]
        raise ValueError(
            f"Expected columns with names of their own, got {n_columns} columns {name!r}."
            " Rename them, or leave all but one out."
        )
    if hasattr(X, "iloc"):
        return [X.iloc[:, i] for i in range(X.shape[1])]
    return [X[:, i] for i in range(X.shape[1])]


def kind_of(column) -> str:
    """Tell the kind of a column from its type or, where that says little, its values."""
    for pattern, kind in KINDS_OF_DTYPES.items():
        if re.match(pattern, str(column.dtype), re.IGNORECASE):
            return kind
    values = [value for value in to_objects(column) if not is_missing(value)]
    # A value in a column that was empty will be an unseen category.
    if not values or _are_booleans(values):
        return "categorical"
    if all(isinstance(value, numbers.Number | Decimal) for value in values):
        return "numeric"
    if all(isinstance(value, datetime.date | np.datetime64) for value in values):
        return "date"
    distinct = set(map(str, values))
    n_words = np.median([len(value.split()) for value in distinct])
    return "text" if len(distinct) > MAX_CATEGORIES and n_words > 1 else "categorical"


def _are_booleans(values) -> bool:
    return all(isinstance(value, bool | np.bool_) for value in values)


def to_objects(column) -> np.ndarray:
    """Return a column as an array of Python objects."""
    values = np.empty(n_rows(column), dtype=object)
    values[:] = column.to_list() if hasattr(column, "to_list") else list(column)
    return values


def is_missing(value) -> bool:
    """Whether a value is None, NaN, NaT or pandas' NA, which has no truth value."""
    return value is None or type(value).__name__ == "NAType" or bool(value != value)


def to_numbers(X) -> np.ndarray:
    """Return columns of numbers in float64; what is no number is NaN."""
    limit = np.finfo(np.float32).max
    columns = [_numbers(column) for column in split_columns(X)]
    return np.clip(np.column_stack(columns), -limit, limit)


def _numbers(column) -> np.ndarray:
    if re.match(r"u?int\d|float\d", str(column.dtype), re.IGNORECASE):
        if hasattr(column, "iloc"):
            return column.to_numpy(dtype=np.float64, na_value=np.nan)
        return np.asarray(column).astype(np.float64)
    return np.array([_number(value) for value in to_objects(column)], dtype=np.float64)


def _number(value) -> float:
    if hasattr(value, "total_seconds"):
        return value.total_seconds()
    try:
        return np.nan if is_missing(value) else float(value)
    except (TypeError, ValueError):
        return np.nan


def _string(value) -> str | None:
    if is_missing(value):
        return None
    # A column of integers turns into one of floats when a value is missing.
    if isinstance(value, float | np.floating) and float(value).is_integer():
        value = int(value)
    return str(value)


def to_times(X) -> np.ndarray:
    """Return columns of dates as datetime64, as the clocks of their time zones show them."""
    return np.column_stack([_times(column) for column in split_columns(X)])


def _times(column) -> np.ndarray:
    if getattr(column.dtype, "tz", None) is not None:
        column = column.dt.tz_localize(None)
    elif getattr(column.dtype, "time_zone", None) is not None:
        column = column.dt.replace_time_zone(None)
    values = np.asarray(column)
    if values.dtype.kind != "M":
        values = np.array([_time(value) for value in to_objects(column)])
    return values.astype("datetime64[us]")


def _time(value) -> np.datetime64:
    # NaT has the methods of a Period and a Timestamp, but none that works.
    if is_missing(value):
        return np.datetime64("NaT", "us")
    if hasattr(value, "to_timestamp"):
        value = value.to_timestamp()
    if getattr(value, "tzinfo", None) is not None:
        value = value.replace(tzinfo=None)
    try:
        if isinstance(value, str | datetime.date | np.datetime64):
            return np.datetime64(value, "us")
    except (ValueError, OverflowError):
        pass
    return np.datetime64("NaT", "us")


def _check_dates(column, name) -> None:
    shown = [value for value in to_objects(column) if not is_missing(value)]
    if shown and np.isnat(_times(column)).all():
        raise ValueError(
            f"Column {name!r} was named in date but holds no dates, and no strings in ISO"
            f" form such as '2024-05-31'; got {shown[0]!r}. Parse it first, for example"
            " with pandas.to_datetime, or name it in another list."
        )


def to_days(X) -> np.ndarray:
    """Return columns of dates as days since 1970; what is no date is NaN."""
    times = to_times(X)
    days = times.astype(np.int64) / (24 * 3600 * 1e6)
    return np.where(np.isnat(times), np.nan, days)


def to_clock(X) -> np.ndarray:
    """Return, for each column of dates, weekday and time of day as points on circles."""
    days = to_days(X)
    # 1 January 1970 was a Thursday.
    weekdays = (np.floor(days) + 3) / 7
    angles = 2 * np.pi * np.stack([weekdays, weekdays, days, days], axis=2)
    angles[:, :, [1, 3]] += np.pi / 2
    return np.nan_to_num(np.sin(angles).reshape(len(days), -1))


def clock_names(transformer, names):
    """Name the columns of ``to_clock``."""
    parts = ("weekday_sin", "weekday_cos", "time_sin", "time_cos")
    return np.array([f"{name}_{part}" for name in names for part in parts], dtype=object)


def to_calendar(X) -> np.ndarray:
    """Return, for each column of dates, weekday and hour as categories."""
    times = to_times(X)
    hours = times.astype("datetime64[h]").astype(np.int64)
    parts = np.stack([hours // 24 % 7, hours % 24], axis=2).astype(object)
    parts[np.isnat(times)] = None
    return parts.reshape(len(times), -1)


def calendar_names(transformer, names):
    """Name the columns of ``to_calendar``."""
    return np.array(
        [f"{name}_{p}" for name in names for p in ("weekday", "hour")], dtype=object
    )


class SoftScaler(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Standardise, with logarithms of what lies far out.

    Values farther from the median than ``limit`` robust standard deviations are replaced
    by ``limit * (1 + log(distance / limit))``, so that one huge value does not flatten all
    others. Nearer ones are standardised as by ``StandardScaler``.

    Parameters
    ----------
    limit : float, default=30.0
        Robust standard deviations from which on logarithms are taken.

    Attributes
    ----------
    scaler_ : Pipeline
        The fitted steps.
    """

    def __init__(self, limit=30.0):
        self.limit = limit

    def fit(self, X, y=None):
        """Fit the scaler.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Numbers; NaN is passed over.
        y : None
            Ignored.

        Returns
        -------
        self : object
            The fitted scaler.
        """
        X = np.asarray(X, dtype=np.float64)
        self.n_features_in_ = X.shape[1]
        compress = FunctionTransformer(_compress_tails, kw_args={"limit": self.limit})
        scaler = make_pipeline(RobustScaler(unit_variance=True), compress, StandardScaler())
        # A column without any value has no median.
        self.scaler_ = scaler.fit(np.where(np.isnan(X).all(axis=0), 0.0, X))
        return self

    def transform(self, X):
        """Scale numbers.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Numbers; NaN stays.

        Returns
        -------
        scaled : ndarray of shape (n_samples, n_features)
            Scaled numbers.
        """
        check_is_fitted(self)
        return self.scaler_.transform(np.asarray(X, dtype=np.float64))


def _compress_tails(Z, limit):
    far = np.maximum(np.abs(Z), limit)
    return np.where(np.abs(Z) <= limit, Z, np.sign(Z) * limit * (1 + np.log(far / limit)))


class RareMissingImputer(SimpleImputer):
    """Median and indicators for missing values; where they are rare, a value far out.

    In columns that lack fewer than 1 % of the training values, or none, a missing one
    becomes ``-log(p)``, p being the share (c + 1) / (n + 1). It expects scaled columns.
    """

    def fit(self, X, y=None):
        """Fit the imputer.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Scaled columns.
        y : None
            Ignored.

        Returns
        -------
        self : object
            The fitted imputer.
        """
        super().fit(X)
        n_missing = np.isnan(np.asarray(X, dtype=np.float64)).sum(axis=0)
        rare = n_missing < RARE_SHARE * n_rows(X)
        surprise = np.log((n_rows(X) + 1) / (n_missing + 1))
        self.statistics_ = np.where(rare, surprise, self.statistics_)
        return self


class StringEncoder(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Turn categories into strings, with None for missing values.

    Whole numbers have the same string as integers and as floats. In columns that were
    boolean in training 0 and 1, as databases have them, and "false" and "true" count as
    False and True.

    Attributes
    ----------
    boolean_ : list of bool
        Whether the column was boolean, for each column.
    """

    def fit(self, X, y=None):
        """Find out which columns are boolean.

        Parameters
        ----------
        X : data frame or array of shape (n_samples, n_features)
            Categories or texts.
        y : None
            Ignored.

        Returns
        -------
        self : object
            The fitted encoder.
        """
        self.boolean_ = []
        for column in split_columns(X):
            values = [value for value in to_objects(column) if not is_missing(value)]
            self.boolean_.append(bool(values) and _are_booleans(values))
        self.n_features_in_ = len(self.boolean_)
        return self

    def transform(self, X):
        """Return strings.

        Parameters
        ----------
        X : data frame or array of shape (n_samples, n_features)
            Categories or texts.

        Returns
        -------
        strings : ndarray of shape (n_samples, n_features)
            Strings and None.
        """
        check_is_fitted(self)
        strings = np.empty((n_rows(X), self.n_features_in_), dtype=object)
        for i, column in enumerate(split_columns(X)):
            known = BOOLEANS if self.boolean_[i] else {}
            found = [_string(value) for value in to_objects(column)]
            strings[:, i] = [known.get(text and text.lower(), text) for text in found]
        return strings


class RarityEncoder(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Say how rare the categories of each column are.

    A category of c among n training rows, p = (c + 1) / (n + 1), becomes ``-log(p)`` where
    p is below ``max_share`` and 0 elsewhere, less the mean of that column in training.

    Parameters
    ----------
    max_share : float, default=0.01
        Share from which on a category is not rare.

    Attributes
    ----------
    counts_ : list of Counter
        Rows of each category, for each column.
    mean_ : ndarray of shape (n_features_in_,)
        Means in training.
    """

    def __init__(self, max_share=RARE_SHARE):
        self.max_share = max_share

    def fit(self, X, y=None):
        """Count categories.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features)
            Categories, of any type that can be hashed.
        y : None
            Ignored.

        Returns
        -------
        self : object
            The fitted encoder.
        """
        X = np.asarray(X, dtype=object)
        self.n_samples_, self.n_features_in_ = X.shape
        self.counts_ = [Counter(column) for column in X.T]
        self.mean_ = self._rarity(X).mean(axis=0)
        return self

    def transform(self, X):
        """Return the rarity of each value.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features)
            Categories.

        Returns
        -------
        rarity : ndarray of shape (n_samples, n_features)
            In natural units of information.
        """
        check_is_fitted(self)
        return self._rarity(np.asarray(X, dtype=object)) - self.mean_

    def _rarity(self, X) -> np.ndarray:
        columns = zip(self.counts_, X.T, strict=True)
        counts = [[seen[value] for value in column] for seen, column in columns]
        shares = (np.array(counts, dtype=np.float64).T + 1) / (self.n_samples_ + 1)
        return np.where(shares < self.max_share, -np.log(shares), 0.0)


class TextEncoder(TransformerMixin, BaseEstimator):
    """Turn each column of strings into a few components and its length.

    Parameters
    ----------
    n_components : int, default=5
        Components of a column, at most.

    Attributes
    ----------
    encoders_ : list of Pipeline
        TF-IDF weights and their decomposition, for each column.
    """

    def __init__(self, n_components=5):
        self.n_components = n_components

    def fit(self, X, y=None):
        """Learn the words of each column.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features)
            Strings, or None.
        y : None
            Ignored.

        Returns
        -------
        self : object
            The fitted encoder.
        """
        columns = _filled(X)
        self.n_features_in_ = len(columns)
        self.encoders_ = []
        for texts in columns:
            weights = TfidfVectorizer(
                analyzer="char_wb", ngram_range=(2, 4), max_features=MAX_TERMS
            )
            n_terms = weights.fit_transform(texts).shape[1]
            reduce = TruncatedSVD(min(self.n_components, n_terms), random_state=0)
            # Texts that are all alike have no variance to explain.
            with np.errstate(invalid="ignore"):
                self.encoders_.append(make_pipeline(weights, reduce).fit(texts))
        return self

    def transform(self, X):
        """Return components and lengths.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features)
            Strings, or None.

        Returns
        -------
        columns : ndarray
            For each column its components and the logarithm of its length.
        """
        check_is_fitted(self)
        blocks = []
        for encoder, texts in zip(self.encoders_, _filled(X), strict=True):
            lengths = np.log([len(text) for text in texts])
            blocks += [encoder.transform(texts), lengths[:, None]]
        return np.hstack(blocks)

    def get_feature_names_out(self, input_features=None):
        """Name the columns.

        Parameters
        ----------
        input_features : sequence of str, default=None
            Names of the columns.

        Returns
        -------
        names : ndarray of str
            The column's name with the number of the component, or "length".
        """
        check_is_fitted(self)
        if input_features is None:
            input_features = [f"x{i}" for i in range(self.n_features_in_)]
        names = []
        for name, encoder in zip(input_features, self.encoders_, strict=True):
            names += [f"{name}_{i}" for i in range(len(encoder[-1].components_))]
            names += [f"{name}_length"]
        return np.array(names, dtype=object)


def _filled(X) -> list:
    # The mark stands for the missing ones and makes sure that there is something to count.
    X = np.asarray(X, dtype=object)
    return [["\0" + ("" if text is None else text) for text in column] for column in X.T]
