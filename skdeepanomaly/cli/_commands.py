"""What each command does with its arguments."""

import json
import sys
from argparse import Namespace
from collections import Counter
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator

from ..explain import explain_columns
from ..metrics import (
    outlier_average_precision_score,
    outlier_precision_score,
    outlier_recall_score,
    outlier_roc_auc_score,
)
from ..persistence import save_detector
from ..report import AnomalyReport
from ..utils.types import Floats
from ._detectors import make_detector, refuse_detector, takes_labels
from ._errors import CommandError
from ._labels import read_labels
from ._models import check_package, fitting_rows, judge, load_model, warn_if_input
from ._tables import (
    check_names,
    check_output,
    check_table_name,
    import_pandas,
    is_parquet,
    read_table,
    read_texts,
    shown,
    write_table,
)


def run_fit(arguments: Namespace) -> None:
    """Fit a detector to a table, and save it."""
    detector = make_detector(arguments)
    check_output(arguments.output)
    check_package("safetensors", "to save models")
    table = _read(arguments)
    y = None
    if arguments.label_column is not None:
        y = _read_labels(arguments, table)
    _fit(arguments, detector, table, y)
    save_detector(detector, arguments.output)
    _say(arguments, f"Saved the model to {arguments.output}.")


def run_score(arguments: Namespace) -> None:
    """Score the rows of a table."""
    if arguments.output is not None:
        check_table_name(arguments.output)
        check_output(arguments.output)
    model = load_model(arguments.model)
    table = _read(arguments)
    check_names(table, arguments.keep, "--keep")
    judgement = judge(model, fitting_rows(model, table, arguments.keep))
    output = _row_numbers(table)
    output["label"] = judgement.labels
    output["score"] = judgement.scores
    output["decision"] = judgement.decisions
    write_table(_with_kept(output, table, arguments.keep), arguments.output)
    _say_flagged(arguments, np.sum(judgement.labels == -1), len(table))


def run_explain(arguments: Namespace) -> None:
    """Write the columns that drive the scores of the flagged rows of a table."""
    if arguments.output is not None:
        check_table_name(arguments.output)
        check_output(arguments.output)
    model = load_model(arguments.model)
    table = _read(arguments)
    check_names(table, arguments.keep, "--keep")
    rows = fitting_rows(model, table, arguments.keep)
    judgement = judge(model, rows)
    taken = np.arange(len(table))
    if not arguments.all_rows:
        taken = np.flatnonzero(judgement.labels == -1)
    output = _explanations(model, table, rows, judgement.scores, taken, arguments.top)
    write_table(_with_kept(output, table, arguments.keep), arguments.output)
    _say_flagged(arguments, np.sum(judgement.labels == -1), len(table))


def run_report(arguments: Namespace) -> None:
    """Write a page that shows which rows of a table are flagged, and why."""
    check_output(arguments.output)
    check_package("jinja2", "to make pages")
    known = [] if arguments.label_column is None else [arguments.label_column]
    if arguments.model is not None:
        refuse_detector(arguments)
        model = load_model(arguments.model)
    else:
        model = make_detector(arguments)
    table = _read(arguments)
    check_names(table, arguments.hide, "--hide")
    y = _read_labels(arguments, table) if known else None
    if arguments.model is None:
        rows = _fit(arguments, model, table, y)
    else:
        rows = fitting_rows(model, table, known)
        if known:
            warn_if_input(model, arguments.label_column)
    if hasattr(rows, "columns"):
        rows = rows.drop(columns=known, errors="ignore")
        names = list(rows.columns)
    else:
        names = [name for name in table.columns if name not in known]
    report = AnomalyReport(
        model,
        rows,
        y,
        title=arguments.title,
        max_rows=arguments.max_rows,
        names=names,
        # A column that the model does not take is not in the report anyway.
        hide=[name for name in arguments.hide if name in names],
        random_state=arguments.seed,
    )
    report.write_html(arguments.output)
    scores = json.loads(report.json())["scores"]
    _say_flagged(arguments, scores["n_flagged"], scores["n"])
    _say(arguments, f"Wrote the report to {arguments.output}.")


def run_evaluate(arguments: Namespace) -> None:
    """Compare what a model says of a table with known labels."""
    if arguments.output is not None:
        check_table_name(arguments.output)
        check_output(arguments.output)
    model = load_model(arguments.model)
    table = _read(arguments)
    y = _read_labels(arguments, table)
    judged = y != 0
    for label, what in ((-1, "anomaly"), (1, "normal row")):
        if label not in y:
            raise CommandError(
                f"The column {arguments.label_column!r} has no {what}, so that there is nothing"
                " to compare. Expected rows of both classes."
            )
    rows = fitting_rows(model, table, [arguments.label_column])
    warn_if_input(model, arguments.label_column)
    judgement = judge(model, rows)
    truth, labels = y[judged], judgement.labels[judged]
    ranking = -judgement.decisions[judged]
    figures = {
        "rows": len(truth),
        "anomalies": int(np.sum(truth == -1)),
        "flagged": int(np.sum(labels == -1)),
        "roc_auc": outlier_roc_auc_score(truth, ranking),
        "average_precision": outlier_average_precision_score(truth, ranking),
        "precision": outlier_precision_score(truth, labels),
        "recall": outlier_recall_score(truth, labels),
    }
    for name, value in figures.items():
        print(f"{name:19}{value if isinstance(value, int) else f'{value:.4f}'}")
    if arguments.output is not None:
        pandas = import_pandas()
        values = [float(value) for value in figures.values()]
        frame = pandas.DataFrame({"metric": list(figures), "value": values})
        write_table(frame, arguments.output)


def _explanations(
    model: Any, table: Any, rows: Any, scores: Floats, taken: Any, top: int
) -> Any:
    """Return a table with the columns that contribute the most to the scores of rows."""
    pandas = import_pandas()
    found: dict[str, list[Any]] = {"row": [], "score": [], "rank": [], "column": []}
    found |= {"value": [], "contribution": [], "share": []}
    if len(taken):
        chosen = rows.iloc[taken] if hasattr(rows, "iloc") else rows[taken]
        contributions = np.asarray(explain_columns(model, chosen))
        names = list(getattr(rows, "columns", table.columns))
        for row, values in zip(taken, contributions, strict=True):
            order = np.argsort(-values, kind="stable")[:top]
            # The first one also where no column speaks for an anomaly.
            order = order[: max(1, np.count_nonzero(values[order] > 0))]
            total = values[values > 0].sum()
            for rank, column in enumerate(order, start=1):
                cell = table[names[column]].iloc[row]
                found["row"].append(row + 1)
                found["score"].append(scores[row])
                found["rank"].append(rank)
                found["column"].append(names[column])
                found["value"].append("" if pandas.isna(cell) else str(cell))
                found["contribution"].append(values[column])
                found["share"].append(values[column] / total if total > 0 else np.nan)
    return pandas.DataFrame(found).astype({"row": int, "rank": int})


def _fit(arguments: Namespace, detector: BaseEstimator, table: Any, y: ArrayLike | None) -> Any:
    """Fit a detector to a table, and return the rows that it was given."""
    check_names(table, arguments.ignore, "--ignore")
    if y is not None and not takes_labels(arguments):
        _say(arguments, f"{arguments.detector} learns without labels, and ignores them.")
    rows = table
    if arguments.no_encoding:
        left_out = {*arguments.ignore, arguments.label_column}
        rows = table[[name for name in table.columns if name not in left_out]]
        _check_numbers(rows)
    detector.fit(rows, y)
    if not arguments.no_encoding:
        _say(arguments, _described(detector))
    return rows


def _read(arguments: Namespace) -> Any:
    table = read_table(arguments.table, arguments.separator)
    n_rows, n_columns = table.shape
    _say(arguments, f"Read {n_rows} rows and {n_columns} columns of {arguments.table}.")
    return table


def _read_labels(arguments: Namespace, table: Any) -> Any:
    name = arguments.label_column
    check_names(table, [name], "--label-column")
    values = table[name]
    if not is_parquet(arguments.table):
        column = table.columns.get_loc(name)
        values = read_texts(arguments.table, arguments.separator, column)
    y = read_labels(values, name, arguments.anomaly, arguments.normal)
    counts = [int(np.sum(y == label)) for label in (-1, 1, 0)]
    _say(arguments, "Labels: {} anomalies, {} normal, {} unknown.".format(*counts))
    return y


def _check_numbers(table: Any) -> None:
    others = table.select_dtypes(exclude=["number", "bool"]).columns
    if len(others):
        raise CommandError(
            f"--no-encoding takes columns of numbers only, got other values in {shown(others)}."
            " Leave such a column out with --ignore, or leave --no-encoding out."
        )


def _described(detector: BaseEstimator) -> str:
    """Return how many columns of each kind were found, and the names of those left out."""
    pipeline = getattr(detector, "detector_", detector)
    kinds = pipeline["encode"].column_kinds_
    counts = Counter(kinds.values())
    text = ", ".join(
        f"{n} {kind}" for kind, n in counts.items() if kind not in ("drop", "identifier")
    )
    left_out = [name for name, kind in kinds.items() if kind in ("drop", "identifier")]
    return f"Columns: {text}." + (f" Left out: {shown(left_out)}." if left_out else "")


def _row_numbers(table: Any) -> Any:
    return import_pandas().DataFrame({"row": np.arange(1, len(table) + 1)})


def _with_kept(output: Any, table: Any, keep: list[str]) -> Any:
    """Return an output with columns of the table put behind the number of the row."""
    for place, name in enumerate(dict.fromkeys(keep), start=1):
        if name in output.columns:
            raise CommandError(
                f"--keep {name}: the output has a column of this name already. Rename the"
                " column of the table."
            )
        values = table[name].iloc[output["row"].to_numpy() - 1].reset_index(drop=True)
        output.insert(place, name, values)
    return output


def _say_flagged(arguments: Namespace, n_flagged: int, n: int) -> None:
    _say(arguments, f"{n_flagged} of {n} rows ({n_flagged / n:.1%}) are flagged.")


def _say(arguments: Namespace, text: str) -> None:
    if not arguments.quiet:
        print(text, file=sys.stderr)
