"""Estimators of scikit-learn whose compiled code trusts their arrays: states and checks.

The code reads memory by indices and shapes that it does not check again, so that a file with
other numbers could make a process crash. These numbers are checked here.
"""

import warnings
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
from sklearn.cluster import KMeans
from sklearn.ensemble import IsolationForest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.neighbors import LocalOutlierFactor, NearestNeighbors
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder
from sklearn.svm import OneClassSVM
from sklearn.tree import ExtraTreeRegressor
from torch import nn

from ..utils._compat import Tree

# The largest number of threads that a file may ask for.
_MAX_THREADS = 1024


def _require(is_right: Any, what: str) -> None:
    if not is_right:
        raise ValueError(f"{what} is not as it was written")


def _is_array(value: Any, dtype: Any, shape: tuple) -> bool:
    return (
        isinstance(value, np.ndarray)
        and value.dtype in np.atleast_1d(dtype)
        and value.shape == shape
        and value.flags.c_contiguous
    )


def _tree_state(tree: Tree) -> dict:
    state = tree.__getstate__()
    nodes = state["nodes"]
    return {
        "n_features": tree.n_features,
        "nodes": {name: np.ascontiguousarray(nodes[name]) for name in nodes.dtype.names},
        "values": state["values"],
    }


def _make_tree(state: dict) -> Tree:
    """Make a regression tree, and check that each path through it ends."""
    n_features, columns, values = state["n_features"], state["nodes"], state["values"]
    tree = Tree(int(n_features), np.ones(1, dtype=np.intp), 1)
    dtype = tree.__getstate__()["nodes"].dtype
    _require(set(columns) == set(dtype.names), "A tree of another version of scikit-learn")
    nodes = np.empty(len(columns["feature"]), dtype=dtype)
    for name, column in columns.items():
        _require(_is_array(column, dtype[name], nodes.shape), f"The column {name} of a tree")
        nodes[name] = column
    n_nodes = len(nodes)
    _require(n_nodes and _is_array(values, np.float64, (n_nodes, 1, 1)), "A tree")
    inner = np.flatnonzero(nodes["left_child"] != -1)
    depths = np.zeros(n_nodes, dtype=int)
    for side in ("left_child", "right_child"):
        children = nodes[side][inner]
        # Children come after their parents, so that there are no circles.
        _require(((children > inner) & (children < n_nodes)).all(), "The order of a tree")
    features = nodes["feature"][inner]
    _require(((features >= 0) & (features < n_features)).all(), "A column of a tree")
    for i in inner:
        below = [nodes["left_child"][i], nodes["right_child"][i]]
        depths[below] = np.maximum(depths[below], depths[i] + 1)
    state = {"max_depth": int(depths.max()), "node_count": n_nodes}
    tree.__setstate__({**state, "nodes": nodes, "values": values})
    return tree


def _neighbors_state(search: NearestNeighbors | LocalOutlierFactor) -> dict:
    kept = {"params": search.get_params(), "rows": search._fit_X}
    return kept | {"names": getattr(search, "feature_names_in_", None)}


def _make_neighbors(kind: type, state: dict) -> Any:
    """Index the rows again, which gives the same tree and the same scores."""
    params, rows = state["params"], state["rows"]
    _require(params["metric_params"] is None and isinstance(params["metric"], str), "A metric")
    _require(isinstance(rows, np.ndarray) and rows.ndim == 2, "The rows of a search")
    with warnings.catch_warnings():
        # The user was warned of duplicate rows when it was fitted.
        warnings.simplefilter("ignore", UserWarning)
        search = kind(**params).fit(rows)
    if state["names"] is not None:
        search.feature_names_in_ = state["names"]
    return search


def _random_state(generator: np.random.RandomState) -> dict:
    return generator.get_state(legacy=False)


def _make_random_state(state: dict) -> np.random.RandomState:
    generator = np.random.RandomState(0)
    generator.set_state(state)
    return generator


# For each class that is not made from its attributes: how to get a state, and make it again.
STATES: dict[type, tuple[Callable, Callable]] = {
    LocalOutlierFactor: (_neighbors_state, partial(_make_neighbors, LocalOutlierFactor)),
    NearestNeighbors: (_neighbors_state, partial(_make_neighbors, NearestNeighbors)),
    np.random.RandomState: (_random_state, _make_random_state),
    Tree: (_tree_state, _make_tree),
}


def _check_forest(forest: IsolationForest) -> None:
    for member, features in zip(forest.estimators_, forest.estimators_features_, strict=True):
        n_used = member.tree_.n_features
        _require(n_used <= min(forest.n_features_in_, len(features)), "The number of columns")


def _check_member(member: ExtraTreeRegressor) -> None:
    _require(member.tree_.n_features == member.n_features_in_, "The number of columns")


def _check_kmeans(clusterer: KMeans) -> None:
    shape = (clusterer.n_clusters, clusterer.n_features_in_)
    right = _is_array(clusterer.cluster_centers_, (np.float32, np.float64), shape)
    _require(right, "The array cluster_centers_")
    _require(0 < clusterer._n_threads <= _MAX_THREADS, "The number of threads")


def _check_svm(machine: OneClassSVM) -> None:
    n_vectors = len(machine.support_)
    _require(machine.kernel in ("linear", "poly", "rbf", "sigmoid"), "The kernel")
    _require(machine._sparse is False, "The format of the support vectors")
    for name, dtype, shape in [
        ("support_", np.int32, (n_vectors,)),
        ("support_vectors_", np.float64, (n_vectors, machine.n_features_in_)),
        ("_n_support", np.int32, (2,)),
        ("_dual_coef_", np.float64, (1, n_vectors)),
        ("_intercept_", np.float64, (1,)),
        ("_probA", np.float64, (0,)),
        ("_probB", np.float64, (0,)),
    ]:
        _require(_is_array(getattr(machine, name), dtype, shape), f"The array {name}")
    _require(machine._n_support[0] == n_vectors, "The number of support vectors")


def _check_one_hot(encoder: OneHotEncoder) -> None:
    """Check that no category gets a column that is not there."""
    n_columns = encoder._n_features_outs
    _require(list(n_columns) == list(encoder._compute_n_features_outs()), "Columns of a code")
    groups = getattr(encoder, "_default_to_infrequent_mappings", None)
    groups = [None] * len(n_columns) if groups is None else groups
    dropped = encoder._drop_idx_after_grouping
    dropped = [None] * len(n_columns) if dropped is None else dropped
    rare = getattr(encoder, "_infrequent_indices", groups)
    for n, group, drop, values, group_of_rare in zip(
        n_columns, groups, dropped, encoder.categories_, rare, strict=True
    ):
        _require((group is None) == (group_of_rare is None), "The rare categories")
        # Numbers are looked up by bisection.
        is_sorted = values.dtype.kind in "OU" or (np.sort(values)[:-1] == values[:-1]).all()
        _require(is_sorted, "The order of categories")
        n_codes = n + (drop is not None)
        _require(drop is None or 0 <= drop < n_codes, "A category that is left out")
        if group is None:
            _require(len(values) == n_codes, "The number of categories")
        else:
            _require(group.shape == values.shape, "The groups of categories")
            _require(group.min() >= 0 and group.max() < n_codes, "A group of categories")


def _check_vocabulary(vectorizer: TfidfVectorizer) -> None:
    indices = sorted(vectorizer.vocabulary_.values())
    _require(indices == list(range(len(indices))), "The vocabulary")
    weights = vectorizer._tfidf.idf_
    _require(weights.shape == (len(indices),), "The weights of the vocabulary")


def _check_pipeline(pipeline: Pipeline) -> None:
    # In a fit it would read pickles from the folder that it names.
    _require(pipeline.memory is None, "The memory of a pipeline")


# What is checked of an object, if it has the attribute that compiled code reads.
_CHECKS: dict[type, tuple[str, Callable]] = {
    ExtraTreeRegressor: ("tree_", _check_member),
    IsolationForest: ("estimators_", _check_forest),
    KMeans: ("cluster_centers_", _check_kmeans),
    OneClassSVM: ("support_vectors_", _check_svm),
    OneHotEncoder: ("categories_", _check_one_hot),
    Pipeline: ("memory", _check_pipeline),
    TfidfVectorizer: ("vocabulary_", _check_vocabulary),
}


def check_object(value: Any) -> None:
    """Check an object that was made from a file, where compiled code would trust it.

    Parameters
    ----------
    value : object
        The object, with its attributes.

    Raises
    ------
    ValueError
        If its arrays do not go together.
    """
    attribute, check = _CHECKS.get(type(value), ("", None))
    if check is not None and attribute in vars(value):
        check(value)
    for layer in _modules_in(vars(value), set()):
        # Processors' own libraries compute recurrent layers.
        if isinstance(layer, nn.RNNBase):
            _check_recurrent(layer)


def _modules_in(value: Any, seen: set) -> Iterator[nn.Module]:
    """Yield all modules in containers and in modules, once."""
    if id(value) in seen:
        return
    if isinstance(value, nn.Module):
        seen.add(id(value))
        yield value
        value = vars(value)
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple):
        for item in value:
            yield from _modules_in(item, seen)


def _check_recurrent(layer: nn.RNNBase) -> None:
    weights = dict(layer.named_parameters(recurse=False))
    _require(0 < layer.num_layers <= len(weights), "The number of layers")
    sizes = {
        name: getattr(layer, name)
        for name in ("input_size", "hidden_size", "num_layers", "bias", "bidirectional")
    }
    # A projection is an argument of LSTM alone.
    if layer.proj_size:
        sizes["proj_size"] = layer.proj_size
    expected = type(layer)(**sizes, device="meta")
    names = expected._flat_weights_names
    _require(layer._flat_weights_names == names == list(weights), "The weights of a layer")
    for name, own in zip(names, layer._flat_weights, strict=True):
        shape = getattr(expected, name).shape
        right = own is weights[name] and own.shape == shape and own.is_floating_point()
        _require(right, f"The weight {name} of a recurrent layer")
