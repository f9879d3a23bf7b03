"""Tables in CSV and Parquet files."""

import contextlib
import os
import sys
import warnings
from pathlib import Path
from typing import Any

from ..utils.validation import closest
from ._errors import CommandError, UsageError

_CSV = (".csv", ".csv.gz", ".tsv", ".txt")
_PARQUET = (".parquet", ".pq")
_OTHER_SEPARATORS = {";": "semicolons", "\t": "tabulators", "|": "bars"}


def import_pandas() -> Any:
    """Return pandas, or raise an error that names the extra.

    Returns
    -------
    pandas : module
        pandas.

    Raises
    ------
    ImportError
        If it is not installed.
    """
    try:
        import pandas
    except ImportError as error:
        raise ImportError(
            'The command line needs pandas to read tables: pip install "skdeepanomaly[cli]".'
        ) from error
    return pandas


def check_table_name(path: str) -> None:
    """Refuse a file whose name does not say that it is CSV or Parquet."""
    if not path.lower().endswith((*_CSV, *_PARQUET)):
        raise UsageError(
            f"{path} is no table: expected a file whose name ends in .csv, .csv.gz, .tsv, .txt,"
            " .parquet or .pq. Rename or convert it."
        )


def check_output(path: str | None) -> None:
    """Refuse an output that could not be written, before anything is computed."""
    if path is None:
        return
    folder = Path(path).absolute().parent
    why = None
    if not folder.is_dir():
        why = f"there is no folder {folder}. Make it first"
    elif Path(path).is_dir():
        why = "it is a folder. Add the name of a file"
    elif not os.access(folder, os.W_OK):
        why = f"the folder {folder} does not let you. Change its permissions"
    if why is not None:
        raise CommandError(f"{path} cannot be written: {why}, or choose another --output.")


def read_table(path: str, separator: str | None) -> Any:
    """Read a table.

    Parameters
    ----------
    path : str
        A CSV or Parquet file.
    separator : str or None
        What is between the cells of a CSV file: one character, or those that
        ``--help`` names; None takes a tabulator for .tsv, else a comma.

    Returns
    -------
    table : pandas.DataFrame
        The table, with at least one row and with strings as names of the columns. Parts of the
        index of a Parquet file that have a name are its first columns.

    Raises
    ------
    UsageError
        If the name of the file does not end as expected, or the separator is none.
    CommandError
        If the file cannot be read, or holds no rows.
    ImportError
        If pandas or the reader of Parquet is not installed.
    """
    pandas = import_pandas()
    check_table_name(path)
    # pandas would take anything longer as a regular expression, and ignore quotes.
    if separator not in (None, "\\t", "\\s+") and len(separator.encode()) != 1:
        raise UsageError(
            f"--separator {separator!r}: expected one ASCII character, such as ';', or \\t for"
            " a tabulator, or \\s+ for blanks. Replace other separators in the file."
        )
    try:
        if is_parquet(path):
            table = pandas.read_parquet(path)
            named = [name for name in table.index.names if name is not None]
            table = table.reset_index(level=named)
        else:
            separator = _separator(path, separator)
            # Where rows have more cells than there are names, pandas would take the first cells
            # as an index, and shift the others. Empty ones at the end do no harm.
            with warnings.catch_warnings():
                warnings.simplefilter("error", pandas.errors.ParserWarning)
                table = pandas.read_csv(path, sep=separator, low_memory=False, index_col=False)
    except ImportError as error:
        raise _needs_pyarrow(path) from error
    except pandas.errors.ParserWarning as error:
        raise CommandError(
            f"{path} has more cells in its rows than names in its first row. Expected a name"
            " for each column: add those that are missing."
        ) from error
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise CommandError(
            f"{path} cannot be read: {why}. Expected a table with the names of the columns"
            " in its first row."
        ) from error
    if not len(table):
        raise CommandError(f"{path} holds no rows, expected at least one below the names.")
    table.columns = [str(name) for name in table.columns]
    if len(table.columns) == 1 and separator == ",":
        for other, kind in _OTHER_SEPARATORS.items():
            if other in table.columns[0]:
                raise CommandError(
                    f"{path} has the single column {table.columns[0]!r}: its cells seem to be"
                    f' separated by {kind}. Add --separator "{other}".'.replace("\t", r"\t")
                )
    return table


def read_texts(path: str, separator: str | None, column: int) -> Any:
    """Return a column of a CSV file as it is written, so that "None" is no missing value.

    Parameters
    ----------
    path : str
        The file.
    separator : str or None
        As in ``read_table``.
    column : int
        Position of the column.

    Returns
    -------
    column : pandas.Series
        The texts.
    """
    table = import_pandas().read_csv(
        path,
        sep=_separator(path, separator),
        index_col=False,
        usecols=[column],
        dtype=str,
        keep_default_na=False,
    )
    return table.iloc[:, 0]


def is_parquet(path: str) -> bool:
    """Whether the name of a file says that it is Parquet."""
    return path.lower().endswith(_PARQUET)


def write_table(table: Any, path: str | None) -> None:
    """Write a table to a file, or as CSV to the standard output where no file is given."""
    if path is None:
        table.to_csv(sys.stdout, index=False)
        return
    # A file that is there is replaced when the new one is complete. pandas tells compression
    # by the end of the name.
    unfinished = Path(path).with_name(f"unfinished-{os.getpid()}-{Path(path).name}")
    try:
        if is_parquet(path):
            table.to_parquet(unfinished, index=False)
        else:
            table.to_csv(unfinished, sep=_separator(path, None), index=False)
        unfinished.replace(path)
    except ImportError as error:
        raise _needs_pyarrow(path) from error
    except OSError as error:
        raise CommandError(
            f"{path} cannot be written: {error.strerror or error}. Choose another --output."
        ) from error
    finally:
        with contextlib.suppress(OSError):
            unfinished.unlink()


def check_names(table: Any, names: list[str], option: str) -> None:
    """Refuse names of columns that the table does not have.

    Parameters
    ----------
    table : pandas.DataFrame
        The table.
    names : iterable of str
        The names.
    option : str
        The option that gave them, for the message.

    Raises
    ------
    CommandError
        If a name is not that of a column.
    """
    for name in names:
        if name not in table.columns:
            raise CommandError(
                f"{option} {name}: the table has no column {name!r}."
                f"{closest(name, table.columns)} It has {shown(table.columns)}."
            )


def shown(names: list[str]) -> str:
    """Return the first names of a list as a text, and how many there are further."""
    names = list(names)
    more = f" and {len(names) - 10} more" if len(names) > 10 else ""
    return ", ".join(map(repr, names[:10])) + more


def _separator(path: str, separator: str | None) -> str:
    default = "\t" if path.lower().endswith(".tsv") else ","
    return "\t" if separator == "\\t" else separator or default


def _needs_pyarrow(path: str) -> ImportError:
    return ImportError(
        f"{path} is a Parquet file, which needs pyarrow:"
        ' pip install "skdeepanomaly[cli]", or convert the table to CSV.'
    )
