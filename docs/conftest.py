"""Names that the examples of the guide may use without an import."""

import numpy as np
import pytest


@pytest.fixture(autouse=True)
def names(doctest_namespace):
    """Give the examples numpy."""
    doctest_namespace["np"] = np
