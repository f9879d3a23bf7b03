"""Names in error messages."""

from skdeepanomaly.utils.validation import closest


def test_no_name_is_suggested_for_nonsense():
    valid = ["max_epochs", "batch_size", "lr"]
    assert closest("max_epoch", valid) == " Did you mean 'max_epochs'?"
    assert closest("zzz", valid) == ""
