"""Classes that derive from a detector."""

import pytest

from skdeepanomaly import AutoEncoder
from skdeepanomaly.base import BaseDeepDetector


def test_hidden_parameters_are_refused_when_the_class_is_defined():
    with pytest.raises(TypeError, match=r"Hiding.__init__ must name .* lacks .*lr, max_epochs"):

        class Hiding(AutoEncoder):
            """A detector that hides its parameters, %(common_parameters)s."""

            def __init__(self, *, k=1, **params):
                super().__init__(**params)
                self.k = k


def test_one_left_out_parameter_is_named():
    named = [name for name in AutoEncoder().get_params() if name != "verbose"]
    code = f"class Silent(Base):\n    def __init__(self, *, {', '.join(named)}, **other__ones): ..."
    with pytest.raises(TypeError, match="lacks verbose, component__param:"):
        exec(code, {"Base": AutoEncoder})


def test_a_base_of_others_may_hide_parameters():
    class BaseOfOthers(BaseDeepDetector, abstract=True):
        def __init__(self, *, k, **params):
            super().__init__(**params)
            self.k = k

    class Plain(AutoEncoder):
        """A subclass without a constructor of its own."""

    assert Plain().get_params().keys() == AutoEncoder().get_params().keys()
