"""A column of a table as labels of anomalies."""

from typing import Any

import numpy as np

from ._errors import CommandError
from ._tables import shown

# Texts that are a missing value in some files, and a class in others.
_UNCLEAR = {"NA", "N/A", "n/a", "#N/A", "nan", "None", "none", "NULL", "null"}


def read_labels(values: Any, name: str, anomaly: list[str], normal: list[str]) -> np.ndarray:
    """Return the labels in a column of a table.

    Parameters
    ----------
    values : iterable of shape (n_samples,)
        The values of the column.
    name : str
        Its name, for messages.
    anomaly : list of str
        Values that mean an anomaly. Without any, all values that do not mean normal do.
    normal : list of str
        Values that mean a normal row. Without any, all values that mean no anomaly do. Without
        either, the column must hold -1 (anomaly), +1 (normal) and 0 (unknown), or 1 (anomaly)
        and 0 (normal).

    Returns
    -------
    labels : ndarray of shape (n_samples,), int
        -1 for anomalies, +1 for normal rows and 0 for unknown ones, such as empty cells.

    Raises
    ------
    CommandError
        If the values do not say which rows are anomalies.
    """
    values = np.array([_canonical(value) for value in values], dtype=object)
    if not (anomaly or normal):
        # No class of numbers has such a name.
        values[[value in _UNCLEAR for value in values]] = None
    found = sorted({value for value in values if value is not None})
    if anomaly or normal:
        bad, good = ({_canonical(text) for text in texts} for texts in (anomaly, normal))
        if both := bad & good:
            raise CommandError(f"{min(both, key=str)!r} is given to --anomaly and to --normal.")
        for option, given in (("--anomaly", anomaly), ("--normal", normal)):
            if given and not {_canonical(text) for text in given} & {*found}:
                raise CommandError(
                    f"No row has {' or '.join(map(repr, given))} in the column {name!r}; it"
                    f" holds {shown(found) or 'nothing'}. Give {option} one of these."
                )
        unclear = {*found} & _UNCLEAR - bad - good
        if unclear and not (bad and good):
            raise CommandError(
                f"The column {name!r} holds {shown(sorted(unclear))}, which could be a class or"
                " a missing value. If it is a class, name it with --anomaly or --normal, so"
                " that both are given; leave the cells of unknown rows empty."
            )
        # With one of the two, all other values are the other class.
        bad, good = bad or {*found} - good, good or {*found} - bad
    elif {*found} <= {"-1", "0", "1"} and "-1" in found:
        bad, good = {"-1"}, {"1"}
    elif {*found} in ({"0", "1"}, {"false", "true"}):
        bad, good = {"1", "true"}, {"0", "false"}
    else:
        raise CommandError(
            f"Expected -1 (anomaly) and 1 (normal), or 1 (anomaly) and 0 (normal) in the column"
            f" {name!r}, got {shown(found) or 'empty cells'}. Say which values mean an anomaly,"
            " --anomaly VALUE, or which mean normal, --normal VALUE."
        )
    labels = np.zeros(len(values), dtype=int)
    labels[[value in good for value in values]] = 1
    labels[[value in bad for value in values]] = -1
    return labels


def _canonical(value: Any) -> str | None:
    """Return the same text for 1, 1.0, "1" and " 1 "; None for a missing value."""
    if value is None or value != value or str(value) in ("", "<NA>", "NaT"):
        return None
    text = str(value).strip()
    try:
        number = float(text)
    except ValueError:
        return text.lower() if text.lower() in ("true", "false") else text
    return str(int(number)) if number.is_integer() else str(number)
