"""Numbers and shares in words."""

import numpy as np


def number(value: float, digits: int = 4) -> str:
    """Write a number with few digits: 2018, 12,345, 0.0123 or 1.234e+09."""
    value = float(value)
    if not np.isfinite(value):
        return str(value)
    # Years have no comma.
    comma = "," if abs(value) >= 10_000 else ""
    if value == round(value) and abs(value) < 1e12:
        return f"{value:{comma}.0f}"
    if 1e-4 <= abs(value) < 1e9:
        decimals = max(0, digits - 1 - int(np.floor(np.log10(abs(value)))))
        text = f"{value:{comma}.{decimals}f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    return f"{value:.{digits - 1}g}"


def share(value: float) -> str:
    """Write a share in per cent; a small one keeps two digits."""
    if value in (0, 1):
        return f"{value:.0%}".replace("%", " %")
    percent = 100 * float(value)
    if percent > 99.9:
        return "more than 99.9 %"
    return f"{percent:.2g} %" if percent < 10 else f"{percent:.0f} %"


def count(n: int, noun: str) -> str:
    """Write a number of things: "1 row", "2,000 rows"."""
    return f"{n:,} {noun}" + ("" if n == 1 else "s")


def shortened(text: str, length: int) -> str:
    """Cut a text that is longer than a page can show."""
    return text if len(text) <= length else text[: length - 1] + "…"
