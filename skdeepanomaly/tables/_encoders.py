"""Encoders of categories and texts, and what makes rare and missing values stand out."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.utils.validation import check_is_fitted

from ..utils._compat import n_rows
from ..utils.types import Floats
from ._columns import unseen_is_common
from ._values import are_booleans, split_columns, to_objects, to_string

# A value counts as rare if fewer than this share of the training rows have it.
RARE_SHARE = 0.01

# The most frequent n-grams of a column of text that are counted.
MAX_TERMS = 5_000

# How databases and files write booleans.
BOOLEANS = {"0": "False", "1": "True", "false": "False", "true": "True"}


class RareMissingImputer(SimpleImputer):
    """Impute the median of a column, or a value far out where missing values are rare.

    In columns that lack fewer than 1 % of the training values, or none, a missing value
    becomes ``-log(p)`` with the share p = (c + 1) / (n + 1), for c missing values in n
    training rows. The columns must be scaled before.

    Parameters
    ----------
    missing_values, strategy, fill_value, copy, add_indicator, keep_empty_features : object
        As in :class:`~sklearn.impute.SimpleImputer`; they apply to columns in which missing
        values are not rare.

    Attributes
    ----------
    statistics_ : ndarray of shape (n_features_in_,)
        For each column the value that replaces a missing one.
    """

    statistics_: Floats

    def fit(self, X: ArrayLike, y: None = None) -> Self:
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


class StringConverter(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Convert categories to strings, with None for missing values.

    A whole number becomes the same string as an integer and as a float. In columns that
    were boolean in training, 0 and 1, as databases write them, and "false" and "true" count
    as False and True.

    Attributes
    ----------
    boolean_ : list of bool
        For each column, whether it was boolean in training.
    """

    def fit(self, X: ArrayLike, y: None = None) -> Self:
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
            The fitted converter.
        """
        self.boolean_ = []
        for column in split_columns(X):
            values = [value for value in to_objects(column) if value is not None]
            self.boolean_.append(bool(values) and are_booleans(values))
        self.n_features_in_ = len(self.boolean_)
        return self

    def transform(self, X: ArrayLike) -> NDArray[np.object_]:
        """Convert values to strings.

        Parameters
        ----------
        X : data frame or array of shape (n_samples, n_features)
            Categories or texts.

        Returns
        -------
        strings : ndarray of shape (n_samples, n_features), dtype object
            Strings and None.
        """
        check_is_fitted(self)
        strings = np.empty((n_rows(X), self.n_features_in_), dtype=object)
        for i, column in enumerate(split_columns(X)):
            known = BOOLEANS if self.boolean_[i] else {}
            found = [to_string(value) for value in to_objects(column)]
            strings[:, i] = [
                None if text is None else known.get(text.lower(), text) for text in found
            ]
        return strings


class RarityEncoder(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Encode categories by how rare they were in training.

    A category of c among n training rows has the share p = (c + 1) / (n + 1). It becomes
    ``-log(p)`` if p is below ``max_share`` or c is 0, and 0 otherwise, less the mean of the
    column in training. So a category that was never seen becomes ``log(n + 1)`` less that
    mean, however few rows there were.

    In a column of which more than 1 % of new values are expected to be unseen, all
    categories become 0: there a value that was never seen is no news. The expected share
    is the share of the training rows whose value no other row has [1]_.

    Parameters
    ----------
    max_share : float, default=0.01
        Categories with at least this share of the training rows are not rare.

    Attributes
    ----------
    counts_ : list of Counter
        For each column, the number of training rows of each category.
    open_ : ndarray of bool of shape (n_features_in_,)
        Whether unseen values are common in a column, so that all its values become 0.
    mean_ : ndarray of shape (n_features_in_,)
        Mean rarity of each column in training, in nats.

    References
    ----------
    .. [1] I. J. Good, "The population frequencies of species and the estimation of
       population parameters", Biometrika, 1953, equation 9.
    """

    def __init__(self, max_share: float = RARE_SHARE):
        self.max_share = max_share

    def fit(self, X: ArrayLike, y: None = None) -> Self:
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
        self.open_ = np.array([unseen_is_common(seen) for seen in self.counts_], dtype=bool)
        self.mean_ = self._rarity(X).mean(axis=0)
        return self

    def transform(self, X: ArrayLike) -> Floats:
        """Return the rarity of each value.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features)
            Categories.

        Returns
        -------
        rarity : ndarray of shape (n_samples, n_features)
            Rarity in nats, less the mean in training.
        """
        check_is_fitted(self)
        return self._rarity(np.asarray(X, dtype=object)) - self.mean_

    def _rarity(self, X: Any) -> np.ndarray:
        columns = zip(self.counts_, X.T, strict=True)
        found = [[seen[value] for value in column] for seen, column in columns]
        counts = np.array(found, dtype=np.float64).reshape(X.T.shape).T
        shares = (counts + 1) / (self.n_samples_ + 1)
        rare = ((shares < self.max_share) | (counts == 0)) & ~self.open_
        return np.where(rare, -np.log(shares), 0.0)


class NgramEncoder(TransformerMixin, BaseEstimator):
    """Encode each column of texts by components of its n-grams, and by its length.

    The n-grams are groups of 2 to 4 characters within words. A truncated singular value
    decomposition of their TF-IDF weights, known as latent semantic analysis [1]_, gives
    the components.

    Parameters
    ----------
    n_components : int, default=5
        Number of components of a column; fewer where the column has fewer n-grams.

    Attributes
    ----------
    encoders_ : list of Pipeline
        For each column, the TF-IDF weights and their decomposition.

    Notes
    -----
    skrub's ``StringEncoder`` has similar components, but takes only pandas and polars
    series, refuses new rows whose column holds no strings, such as numbers, and leaves out
    the length.

    References
    ----------
    .. [1] S. Deerwester, S. Dumais, G. Furnas, T. Landauer, R. Harshman, "Indexing by
       latent semantic analysis", Journal of the American Society for Information Science,
       1990.
    """

    def __init__(self, n_components: int = 5):
        self.n_components = n_components

    def fit(self, X: ArrayLike, y: None = None) -> Self:
        """Learn the n-grams of each column.

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
        columns = _marked_texts(X)
        self.n_features_in_ = len(columns)
        self.encoders_ = []
        for texts in columns:
            tfidf = TfidfVectorizer(
                analyzer="char_wb", ngram_range=(2, 4), max_features=MAX_TERMS
            )
            weights = tfidf.fit_transform(texts)
            svd = TruncatedSVD(min(self.n_components, weights.shape[1]), random_state=0)
            # If all texts are alike, the share of variance explained is 0 / 0.
            with np.errstate(invalid="ignore"):
                svd.fit(weights)
            self.encoders_.append(make_pipeline(tfidf, svd))
        return self

    def transform(self, X: ArrayLike) -> Floats:
        """Return components and lengths.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features)
            Strings, or None.

        Returns
        -------
        encoded : ndarray of shape (n_samples, n_features * (n_components + 1))
            For each column its components and the logarithm of one more than the number
            of its characters.
        """
        check_is_fitted(self)
        blocks = []
        for encoder, texts in zip(self.encoders_, _marked_texts(X), strict=True):
            lengths = np.log([len(text) for text in texts])
            blocks += [encoder.transform(texts), lengths[:, None]]
        return np.hstack(blocks)

    def get_feature_names_out(
        self, input_features: Sequence[str] | None = None
    ) -> NDArray[np.object_]:
        """Return the names of the encoded columns.

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


def _marked_texts(X: Any) -> list:
    # The mark in front of each text keeps a column of empty texts from having no n-gram,
    # and the logarithm of its length finite.
    X = np.asarray(X, dtype=object)
    return [["\0" + ("" if text is None else text) for text in column] for column in X.T]
