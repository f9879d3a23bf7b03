"""What was scored, by which detector, and how its threshold was found."""

import html
import re
from numbers import Real
from typing import Any

from sklearn.base import BaseEstimator, clone
from sklearn.pipeline import Pipeline
from sklearn.utils import estimator_html_repr

from ..tables import ColumnSummary
from ..utils.nesting import nested
from ._scores import Scores
from ._texts import count, number, share, shortened

MAX_TEXT = 600


def name_of(detector: BaseEstimator) -> str:
    """Return the classes of a detector and of what it wraps: "FeedbackDetector: GAN"."""
    parts = [part for part in nested(detector) if not isinstance(part, Pipeline)]
    return ": ".join(type(part).__name__ for part in parts)


def how_found(detector: BaseEstimator) -> str:
    """Say in words how the threshold of a fitted detector was found."""
    for part in nested(detector):
        verdicts = getattr(getattr(part, "verdicts_", None), "y", ())
        if len(verdicts):
            return f"moved by {count(len(verdicts), 'verdict')} of an analyst"
        if hasattr(part, "threshold_") and hasattr(part, "best_score_"):
            return "the best by labels, in cross-validation"
        if hasattr(part, "threshold_"):
            rule = shortened(repr(part.threshold_), 100)
            n = len(getattr(part, "calibration_scores_", ()))
            return f"by the rule {rule}" + (f" from {n:,} scores" if n else "")
        if hasattr(part, "alpha") and hasattr(part, "n_calibration_"):
            return (
                f"conformal, from {count(part.n_calibration_, 'row')} held out: at most about"
                f" {share(part.alpha)} of new normal rows are flagged"
            )
        contamination = getattr(part, "contamination", None)
        if isinstance(contamination, Real):
            about = share(float(contamination))
            return (
                f"contamination={contamination:g}: about {about} of the training rows have a"
                " higher score"
            )
        if isinstance(contamination, str):
            return f"contamination={contamination!r}: by the detector's own rule"
        if isinstance(getattr(part, "nu", None), Real):
            return f"nu={part.nu:g}: at most about {share(part.nu)} of the training rows"
    return "by the detector's own rule"


def facts(detector: BaseEstimator, scores: Scores) -> list[list[str]]:
    """Return the lines of the overview, each as what and how much.

    Parameters
    ----------
    detector : object
        A fitted detector.
    scores : Scores
        Its scores.

    Returns
    -------
    facts : list of [str, str]
    """
    n, n_flagged = len(scores.values), scores.n_flagged
    lines = [
        ["Detector", name_of(detector)],
        ["Rows scored", f"{n:,}"],
        ["Flagged", f"{n_flagged:,} ({share(n_flagged / n)})"],
        ["Threshold", f"{number(scores.threshold)}, {how_found(detector)}"],
    ]
    inside = nested(detector)[-1]
    history = getattr(inside, "history_", None)
    if history:
        lines.append(["Training", count(len(history), "epoch")])
    return lines


def detector_html(detector: Any, hidden: bool) -> str:
    """Return scikit-learn's own page of a detector, without scripts, or its name.

    Parameters
    ----------
    detector : object
        A detector.
    hidden : bool
        Whether columns are hidden: parameters may name them and their values.

    Returns
    -------
    html : str
        The same for detectors with equal parameters.
    """
    if hidden:
        note = "Its parameters are left out, because columns are hidden."
        return f"<p>{html.escape(name_of(detector))}. {note}</p>"
    try:
        # Attributes of fit may hold values of the training rows; a clone has none.
        text = estimator_html_repr(clone(detector))
    except (TypeError, RuntimeError):
        return f"<pre>{html.escape(shortened(repr(detector), MAX_TEXT))}</pre>"
    text = re.sub(r"<script\b.*?</script>", "", text, flags=re.DOTALL)
    text = re.sub(r"\son\w+=(\"[^\"]*\"|'[^']*')", "", text)
    text = re.sub(r"<button\b[^>]*class=\"copy-paste-icon\".*?</button>", "", text, flags=re.S)
    # Scikit-learn numbers all of its pictures in a session.
    numbers: dict[str, str] = {}
    return re.sub(
        r"(sk-(?:container|estimator)-id-)([\w-]*\d[\w-]*)",
        lambda found: found[1] + numbers.setdefault(found[2], str(len(numbers) + 1)),
        text,
    )


def understood(detector: BaseEstimator) -> list[ColumnSummary]:
    """Return what a pipeline's encoder of tables understood of each column in ``fit``."""
    for part in nested(detector):
        for _, step in part.steps if isinstance(part, Pipeline) else ():
            if hasattr(step, "column_summaries_"):
                return step.column_summaries_
    return []


def warnings_of_fit(detector: BaseEstimator) -> list[str]:
    """Return the warnings of the training of a detector and of what it wraps."""
    texts = [text for part in nested(detector) for text in getattr(part, "fit_warnings_", ())]
    return [f"Training: {text}" for text in texts]


def notes_of(summaries: list[ColumnSummary]) -> list[tuple[object, str]]:
    """Say what was not understood of columns in ``fit``, as label and text."""
    notes = []
    for summary in summaries:
        name = f"Column {summary.label!r}"
        if summary.kind == "identifier":
            notes.append(
                (summary.label, f"{name} was left out: its whole numbers never repeat.")
            )
        if summary.unread:
            notes.append(
                (
                    summary.label,
                    f"{name}: {share(summary.unread)} of its values in training cannot be read"
                    f" as {summary.kind} and count as missing.",
                )
            )
        if summary.unseen > 0.01:
            notes.append(
                (
                    summary.label,
                    f"{name}: about {share(summary.unseen)} of new rows have a value that"
                    " training has not seen.",
                )
            )
    return notes
