"""The arguments of the command line, and what ``--help`` says of them."""

import argparse
from collections.abc import Callable
from typing import Any

from .._version import __version__
from ..utils import all_detectors
from ._commands import run_evaluate, run_explain, run_fit, run_report, run_score
from ._detectors import DEFAULTS, KINDS, RULES

_DESCRIPTION = """\
Find anomalies in tables of mixed columns, without writing Python.

  fit       learn what is normal from a table, and save a model
  score     score the rows of a table with a saved model
  explain   show which columns made a model flag rows
  report    make a page that shows what is flagged and why, and takes verdicts
  evaluate  compare a model with known labels

A table is a CSV or Parquet file with the names of the columns in its first row."""
_EXAMPLE = """\
example:
  python -m skdeepanomaly fit train.csv --output model.safetensors --contamination 0.02
  python -m skdeepanomaly score new.csv --model model.safetensors --output scores.csv

Results go to the standard output or to --output, all messages to the standard error.
Exit codes: 0 all went well, 1 a table, a model or the training does not do, 2 the command
line is wrong, 130 interrupted."""
_SCORES = """\
The output has one line for each row of the table:
  row       number of the row; the first one below the names is 1
  label     -1 for an anomaly, 1 for a normal row
  score     the higher, the more normal
  decision  the score less the threshold of the model: below 0 for anomalies"""
_EXPLANATIONS = """\
The output has up to --top lines for each row that is flagged:
  row           number of the row; the first one below the names is 1
  score         the score of the row; the higher, the more normal
  rank          1 for the column that contributes the most
  column        name of the column
  value         what the row has in that column
  contribution  what the column adds to the anomaly score
  share         its share of all contributions that speak for an anomaly"""
_REPORT = """\
The page is one file, which any browser shows without a network. It holds the values of the rows
that are shown; --hide leaves columns out.

Without --model, a detector is fitted to the table itself, as fit would do with the same options
(see fit --help); it is not saved. Clean tables of the past and --model find more."""
_METRICS = """\
The output has one line for each figure. Only rows with a known label count.
  roc_auc            chance that an anomaly ranks above a normal row; 0.5 is chance
  average_precision  mean precision over all thresholds; the share of anomalies is chance
  precision          share of anomalies among the rows that are flagged
  recall             share of flagged rows among the anomalies"""


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line.

    Returns
    -------
    parser : argparse.ArgumentParser
        What it returns has ``run``, the function of the command.
    """
    parser = argparse.ArgumentParser(
        prog="python -m skdeepanomaly",
        description=_DESCRIPTION,
        epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"skdeepanomaly {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    _add_fit(commands)
    _add_score(commands)
    _add_explain(commands)
    _add_report(commands)
    _add_evaluate(commands)
    return parser


def _add_command(
    commands: Any,
    name: str,
    run: Callable[[argparse.Namespace], None],
    summary: str,
    details: str,
) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        name,
        help=summary,
        description=f"{summary[0].upper()}{summary[1:]}.",
        epilog=details,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.set_defaults(run=run)
    parser.add_argument("table", metavar="TABLE", help="the table: a CSV or Parquet file")
    parser.add_argument(
        "--separator",
        metavar="TEXT",
        help="what separates the cells of a CSV file: one character, \\t for a tabulator or"
        " \\s+ for blanks (default: a comma, in a .tsv file a tabulator)",
    )
    parser.add_argument(
        "-v",
        "--verbose",
        action="store_true",
        help="also show a line for each epoch of the training, and the traceback of an error",
    )
    parser.add_argument(
        "-q", "--quiet", action="store_true", help="show only warnings and errors"
    )
    return parser


def _add_labels(parser: argparse.ArgumentParser, required: bool) -> None:
    parser.add_argument(
        "--label-column",
        metavar="COLUMN",
        required=required,
        help="column with known labels, which is kept from the detector as an input: -1 for an"
        " anomaly, 1 normal, 0 or empty unknown; or 1 for an anomaly and 0 normal; or any"
        " values, see --anomaly",
    )
    parser.add_argument(
        "--anomaly",
        metavar="VALUE",
        action="append",
        default=[],
        help="value of the label column that means an anomaly; may be repeated. All others are"
        " normal, and empty cells unknown",
    )
    parser.add_argument(
        "--normal",
        metavar="VALUE",
        action="append",
        default=[],
        help="value of the label column that means a normal row; may be repeated. All others"
        " are anomalies, or unknown where --anomaly is given, too",
    )


def _add_model(parser: argparse.ArgumentParser, required: bool = True) -> None:
    parser.add_argument(
        "--model", metavar="FILE", required=required, help="the model that fit has saved"
    )


def _add_seed(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--seed",
        metavar="N",
        type=int,
        default=0,
        help="seed of the random numbers: the same seed, the same scores (default: 0)",
    )


def _add_fit(commands: Any) -> None:
    names = "\n".join(
        f"  {name:30}{(detector.__doc__ or '').strip().splitlines()[0]}"
        for name, detector in all_detectors()
    )
    parser = _add_command(
        commands, "fit", run_fit, "learn what is normal from a table", f"detectors:\n{names}"
    )
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        required=True,
        help="file of the model, such as model.safetensors; it holds no code",
    )
    _add_detector(parser)
    _add_seed(parser)
    _add_labels(parser, required=False)


def _add_detector(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--detector",
        metavar="NAME",
        default=DEFAULTS["detector"],
        help=f"the detector; fit --help lists them (default: {DEFAULTS['detector']})",
    )
    parser.add_argument(
        "--param",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        help="parameter of the detector, such as max_epochs=20, hidden_dims=64,32 or"
        " optimizer__weight_decay=1e-4; may be repeated",
    )
    parser.add_argument(
        "--contamination",
        metavar="SHARE",
        help="share of anomalies in the table, which sets the threshold: above 0, up to 0.5, or"
        " auto (default: that of the detector)",
    )
    parser.add_argument(
        "--threshold-rule",
        metavar="RULE",
        choices=sorted(RULES),
        help="set the threshold by a rule, on 30%% of the rows that are held out of the"
        f" training: {', '.join(sorted(RULES))}",
    )
    parser.add_argument(
        "--threshold-param",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        help="parameter of that rule, such as contamination=0.02 of quantile; may be repeated",
    )
    parser.add_argument(
        "--ignore",
        metavar="COLUMN",
        action="append",
        default=[],
        help="column to leave out, such as an identifier; may be repeated",
    )
    for kind in KINDS:
        parser.add_argument(
            f"--{kind}",
            metavar="COLUMN",
            action="append",
            default=[],
            help=f"treat the column as {kind}, instead of finding out; may be repeated",
        )
    parser.add_argument(
        "--no-encoding",
        action="store_true",
        help="hand the columns to the detector as they are, all of them numbers: for pixels of"
        " images, windows of series, or columns that are scaled already",
    )


def _add_score(commands: Any) -> None:
    parser = _add_command(commands, "score", run_score, "score the rows of a table", _SCORES)
    _add_model(parser)
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        help="CSV or Parquet file of the scores (default: CSV on the standard output)",
    )
    parser.add_argument(
        "--keep",
        metavar="COLUMN",
        action="append",
        default=[],
        help="column of the table to copy to the output, such as an identifier; may be"
        " repeated",
    )


def _add_explain(commands: Any) -> None:
    parser = _add_command(
        commands,
        "explain",
        run_explain,
        "show the columns that drive the scores of flagged rows",
        _EXPLANATIONS,
    )
    _add_model(parser)
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        help="CSV or Parquet file (default: CSV on the standard output)",
    )
    parser.add_argument(
        "--keep",
        metavar="COLUMN",
        action="append",
        default=[],
        help="column of the table to copy to the output, such as an identifier; may be"
        " repeated",
    )
    parser.add_argument(
        "--top",
        metavar="N",
        type=_positive,
        default=5,
        help="largest number of columns for a row (default: 5)",
    )
    parser.add_argument(
        "--all-rows", action="store_true", help="explain all rows, not only those flagged"
    )


def _add_report(commands: Any) -> None:
    parser = _add_command(
        commands,
        "report",
        run_report,
        "make a page that shows which rows are flagged and why",
        _REPORT,
    )
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        required=True,
        help="file of the page, such as report.html",
    )
    _add_model(parser, required=False)
    _add_detector(parser)
    _add_seed(parser)
    _add_labels(parser, required=False)
    parser.add_argument("--title", metavar="TEXT", help="title of the page")
    parser.add_argument(
        "--max-rows",
        metavar="N",
        type=_positive,
        default=200,
        help="number of rows to show, the most unusual ones (default: 200)",
    )
    parser.add_argument(
        "--hide",
        metavar="COLUMN",
        action="append",
        default=[],
        help="column that must not be in the file, such as personal data; may be repeated",
    )


def _add_evaluate(commands: Any) -> None:
    parser = _add_command(
        commands, "evaluate", run_evaluate, "compare a model with known labels", _METRICS
    )
    _add_model(parser)
    _add_labels(parser, required=True)
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        help="also write the figures to this CSV or Parquet file",
    )


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number from 1 on, got {text!r}")
    return int(text)
