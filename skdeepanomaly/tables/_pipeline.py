"""A pipeline from a table with columns of different kinds to a detector."""

import numbers
from collections.abc import Callable, Sequence
from typing import Any, Literal

from numpy.typing import NDArray
from sklearn.base import BaseEstimator, clone
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder

from ._dates import (
    calendar_names,
    clock_names,
    clock_of_day_names,
    to_calendar,
    to_clock,
    to_clock_of_day,
    to_days,
    to_hours,
)
from ._encoders import (
    RARE_SHARE,
    NgramEncoder,
    RareMissingImputer,
    RarityEncoder,
    StringConverter,
)
from ._scaling import SoftScaler
from ._table_encoder import TableEncoder
from ._values import to_numbers


def make_detector_pipeline(
    detector: BaseEstimator,
    *,
    numeric: Sequence[Any] = (),
    categorical: Sequence[Any] = (),
    date: Sequence[Any] = (),
    time: Sequence[Any] = (),
    text: Sequence[Any] = (),
    drop: Sequence[Any] = (),
    scaler: Literal["soft"] | BaseEstimator = "soft",
    max_categories: int = 10,
    text_components: int = 5,
    clean: bool = False,
) -> Pipeline:
    r"""Make a pipeline that turns a table of mixed columns into numbers for a detector.

    The kinds of the columns are inferred when the pipeline is fitted: from the types of a
    frame and, for columns of Python objects or strings, from most of their values. What is
    not understood is told in one warning, and
    ``pipeline["encode"].describe_columns()`` shows all that was.
    New categories and new missing values do not stop the scoring; they count as unusual.

    Parameters
    ----------
    detector : estimator
        Outlier detector with the interface of scikit-learn; the last step of the pipeline.
    numeric, categorical, date, time, text : sequence of labels, default=()
        Columns to treat as this kind instead of inferring it: names, or indices where the
        columns have no names. Strings are dates and times of day if they are in ISO form:
        2024-05-31, 2024-05-31T23:59 or 23:59.
    drop : sequence of labels, default=()
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
    TypeError
        In ``fit`` and in scoring, if X is no table in memory, such as a lazy frame.
    ValueError
        If columns are not given in a list. In ``fit``, if a column is named that is not
        there, or twice, or none of the values of a named column can be read as its kind; if
        the table is sparse, two of its columns have the same name, or a cell holds several
        values, such as a list.

    Warns
    -----
    UserWarning
        In ``fit``, if values of an inferred kind, or more than 1 % of those of a named
        kind, cannot be read and count as missing; if a column looks like an identifier. In
        scoring, if more than 1 % of the values of a column cannot be read.

    See Also
    --------
    explain_columns : What each column of the table adds to the score of a row.

    Notes
    -----
    A table is a frame of pandas, polars or pyarrow, or what numpy makes an array of two
    dimensions of: a list of rows, a tensor. Labels of columns are names, whatever their
    type; the columns of an array are labelled 0, 1, 2. New rows may have the columns of a
    frame in another order.

    *Numbers* are scaled. Missing numbers become the median, with an indicator column.
    Where fewer than 1 % of the training rows lack a value, or none, a missing number is
    put far out instead, see below. Strings of numbers are numbers, but not if they are
    codes: whole numbers with leading zeros or of the same length, or at most 40 different
    ones. Integers that number the rows are identifiers, and left out: none occurs twice,
    although at least ten repeats were expected if they were drawn independently.

    *Categories*, booleans included, are one-hot encoded. Categories with a share of less
    than 1 % are counted as one, and missing is a category. In that encoding a category
    that was never seen is a row of zeros, nearer to all others than they are to each other.
    So there is a further column, the *rarity*: :math:`-\log p` for categories of a share p
    below 1 % and for those never seen, 0 for others, less its mean. With n training rows
    and c of the category, p = (c + 1) / (n + 1), so that a new category counts as
    :math:`\log(n + 1)`. Missing numbers that are as rare are put as far out.
    The share of new rows with unseen values is estimated by the share of training rows
    whose value no other row has [1]_. Where it is above 1 %, as for identifiers, unseen
    values are no news: the rarity is 0.

    *Dates* become days, and the time of day and the weekday become points on circles.
    Weekdays and hours have a rarity, too. Months and years have none, because new ones
    always come. *Times of day* have a circle and the rarity of the hour. Time zones are
    dropped: the clock is the local one.

    *Texts* become the leading components of the TF-IDF weights of their groups of 2 to 4
    characters [2]_, and the logarithm of their length. Strings are text where there are
    more than 40 different ones, most with more than one word.

    References
    ----------
    .. [1] I. J. Good, "The population frequencies of species and the estimation of
       population parameters", Biometrika, 1953.
    .. [2] S. Deerwester, S. Dumais, G. Furnas, T. Landauer, R. Harshman, "Indexing by
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
        "time": time,
        "text": text,
        "drop": drop,
    }
    for kind, columns in given.items():
        if isinstance(columns, str | numbers.Integral):
            raise ValueError(
                f"{kind} takes a list of columns, got {columns!r}. Pass {kind}=[{columns!r}]."
            )
    lists = {kind: list(columns) for kind, columns in given.items()}

    imputer = RareMissingImputer(
        strategy="median", add_indicator=True, keep_empty_features=True
    )

    def numbers_from(function: Callable[[Any], NDArray[Any]]) -> Pipeline:
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
            ("time", make_pipeline(_stateless(to_clock_of_day, clock_of_day_names)), "time"),
            ("hour", make_pipeline(_stateless(to_hours), RarityEncoder()), "time"),
            ("text", make_pipeline(StringConverter(), ngrams), "text"),
        ],
        given={kind: columns for kind, columns in lists.items() if columns},
    )
    steps = [("encode", encode), ("detector", detector)]
    return Pipeline([("clean", _cleaner()), *steps] if clean else steps)


def _stateless(
    function: Callable[[Any], NDArray[Any]],
    names: str | Callable[[Any, Any], NDArray[Any]] = "one-to-one",
) -> FunctionTransformer:
    return FunctionTransformer(function, feature_names_out=names)


def _scaler(scaler: str | BaseEstimator) -> BaseEstimator:
    if not isinstance(scaler, str):
        return clone(scaler)
    if scaler != "soft":
        raise ValueError(f'scaler must be "soft" or a transformer, got {scaler!r}.')
    return SoftScaler()


def _cleaner() -> Any:
    try:
        from skrub import Cleaner
    except ImportError as error:
        raise ImportError(
            'clean=True needs skrub: pip install "skdeepanomaly[table]".'
        ) from error
    return Cleaner(drop_null_fraction=None, parse_numbers=True)
