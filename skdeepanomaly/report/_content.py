"""All that a report shows, as values of JSON."""

import hashlib
import json
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator

from .._version import __version__
from ..utils._compat import n_rows, take_rows
from ..utils.containers import as_indexable
from ..utils.randomness import check_local_random_state
from ..utils.types import RandomState, Rows
from ._comparison import compare
from ._overview import detector_html, facts, name_of, warnings_of_fit
from ._pictures import describe_pictures, kind_of_rows
from ._scores import Scores, describe_scores, read_labels, score
from ._series import check_one_series, describe_series, is_series_detector
from ._tables import describe_table, hidden_names
from ._texts import count, share

# So many rows without a verdict are proposed.
N_PROPOSED = 10


def make_content(
    detectors: list[BaseEstimator],
    X: Rows,
    y: ArrayLike | None = None,
    *,
    title: str | None = None,
    max_rows: int = 200,
    names: Sequence[str] | None = None,
    hide: Sequence[Any] = (),
    random_state: RandomState = None,
) -> dict:
    """Score rows, and return all that the page shows.

    Parameters
    ----------
    detectors : list
        One fitted outlier detector, or two to compare.
    X : array-like or data frame of shape (n_samples, n_columns)
        Rows.
    y : array-like of shape (n_samples,) or None, default=None
        Labels.
    title, max_rows, names, hide, random_state
        As in ``AnomalyReport``.

    Returns
    -------
    content : dict
        The same for the same input and seed.
    """
    rng = check_local_random_state(random_state)
    is_series = is_series_detector(detectors[0])
    if is_series:
        check_one_series(X)
    X = as_indexable(X)
    n = n_rows(X)
    if n == 0:
        raise ValueError("X has no rows, expected at least one to report on.")
    labels = read_labels(y, n)
    kind = "series" if is_series else kind_of_rows(detectors[0], X)
    hidden = [*map(str, hide)] if is_series else hidden_names(X, names, hide)
    if len(hide) and kind not in ("table", "series"):
        raise ValueError(f"hide takes columns of a table, and X holds {kind}.")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        scores = [score(detector, X) for detector in detectors]
        shown = _shown(scores, max_rows)
        if kind == "series":
            part = describe_series(
                detectors, X, scores, max_rows=max_rows, names=names, hide=hide
            )
        elif kind == "table":
            part = describe_table(detectors, X, scores, shown, names=names, hide=hide, rng=rng)
        else:
            part = describe_pictures(detectors, X, scores, shown, kind=kind, rng=rng)
        proposed = {} if is_series else _proposed(detectors[0], X, shown)
    # Those of the training may know hidden columns by other names.
    told = [] if hidden else [text for one in detectors for text in warnings_of_fit(one)]
    texts = dict.fromkeys([*told, *(str(warning.message) for warning in caught)])
    # What containers detectors pass on inside says nothing of the rows.
    told = [text for text in texts if "valid feature names" not in text]
    # A warning may quote a value of a column that must not be shown.
    notes = [
        text for text in (*told, *part["notes"]) if not any(name in text for name in hidden)
    ]
    first, rank = scores[0], _ranks(scores[0])
    for row in part["rows"]:
        place = row["row"]
        row |= {"score": _rounded(first.values[place]), "rank": int(rank[place])}
        row["flagged"] = bool(first.is_flagged[place])
        if labels is not None:
            row["label"] = int(labels[place])
        if place in proposed:
            row["proposed"] = proposed[place]
    content = {
        "format": "skdeepanomaly-report",
        "version": 1,
        "package": __version__,
        "title": str(title) if title is not None else _title(detectors),
        "facts": facts(detectors[0], first),
        "detector_html": detector_html(detectors[0], bool(hidden)),
        "scores": describe_scores(first, labels),
        **part,
        "notes": notes,
    }
    if len(detectors) == 2:
        content["comparison"] = compare(detectors, scores, labels)
        content["second_facts"] = facts(detectors[1], scores[1])
        second = _ranks(scores[1])
        for row in part["rows"]:
            place = row["row"]
            row["second"] = {
                "score": _rounded(scores[1].values[place]),
                "rank": int(second[place]),
                "flagged": bool(scores[1].is_flagged[place]),
            }
    content["summary"] = _summary(content)
    digest = json.dumps(content, sort_keys=True, default=str).encode()
    content["id"] = hashlib.sha256(digest).hexdigest()[:16]
    return content


def _shown(scores: list[Scores], max_rows: int) -> np.ndarray:
    """Return the positions of the rows to show: the worst by any of the detectors."""
    best = np.min([_ranks(one) for one in scores], axis=0)
    return np.argsort(best, kind="stable")[:max_rows]


def _ranks(scores: Scores) -> np.ndarray:
    ranks = np.empty(len(scores.order), dtype=int)
    ranks[scores.order] = np.arange(len(ranks))
    return ranks


def _proposed(detector: BaseEstimator, X: Any, shown: np.ndarray) -> dict[int, int]:
    """Return rows to judge next, with their places in the order to look at them."""
    if not hasattr(detector, "query"):
        return {}
    found = detector.query(take_rows(X, shown), n=N_PROPOSED)
    return {int(shown[i]): place for place, i in enumerate(found)}


def _title(detectors: list[BaseEstimator]) -> str:
    names = [name_of(detector) for detector in detectors]
    return " and ".join(names) + ": anomaly report"


def _summary(content: dict[str, Any]) -> list[str]:
    """Return the report in a few sentences."""
    n, n_flagged = content["scores"]["n"], content["scores"]["n_flagged"]
    lines = [f"{n_flagged:,} of {count(n, 'row')} ({share(n_flagged / n)}) were flagged."]
    if "comparison" in content:
        pair, cases = content["comparison"]["names"], content["comparison"]["counts"]
        flagged = [cases["both"] + cases[name] for name in ("first", "second")]
        lines = [
            f"Of {count(n, 'row')}, {pair[0]} flagged {flagged[0]:,} and {pair[1]}"
            f" {flagged[1]:,}; {cases['both']:,} were flagged by both."
        ]
    if content["kind"] == "series":
        lines = [line.replace(" row", " time stamp") for line in lines]
        if spans := content["spans"]:
            length = count(spans[0]["length"], "time stamp")
            lines.append(
                f"The most unusual span is {spans[0]['start']} to {spans[0]['end']}, {length}."
            )
        return lines
    rows = content["rows"]
    worst = min(rows, key=lambda row: row["rank"])
    name = f"row {worst['row']}" + (f" ({worst['index']})" if "index" in worst else "")
    verb = "was flagged" if worst["flagged"] else "was not flagged"
    lines.append(f"The most unusual is {name}, which {verb}.")
    if worst.get("reasons"):
        reasons = "; ".join(f"its {name} {text}" for name, text in worst["reasons"])
        lines[-1] = lines[-1][:-1] + f": {reasons}."
    drivers = sorted(content.get("columns", []), key=lambda column: -column["weight"])[:3]
    if content.get("explained") and drivers and drivers[0]["weight"] > 0:
        shown = [f"{c['name']} ({share(c['weight'])})" for c in drivers if c["weight"] > 0]
        lines.append(f"The flags are driven most by {', '.join(shown)}.")
    return lines


def _rounded(value: float) -> float:
    return float(f"{value:.6g}")
