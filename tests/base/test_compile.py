"""Networks that are compiled give what they give otherwise."""

import pickle
import shutil

import numpy as np
import pytest
from conftest import make_detector, make_rows

# One detector of each class of net.
ONE_OF_EACH_NET = [
    "AutoEncoder",
    "DenoisingAutoEncoder",
    "VariationalAutoEncoder",
    "BiGAN",
    "AdversarialAutoEncoder",
    "DeepClustering",
    "DeepEmbeddedClustering",
    "DeepDiscriminativeClustering",
    "DeepSubspaceClustering",
]
# torch's default backend needs a compiler of C++. Its random numbers are its own, unless it
# is told to draw those of networks that are not compiled.
if shutil.which("c++"):
    HOW = {"compile__options": {"fallback_random": True}}
else:
    HOW = {"compile__backend": "aot_eager"}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # torch warns of its own code while it compiles
@pytest.mark.parametrize("name", ONE_OF_EACH_NET)
def test_compiled_networks(name, fitted, rows):
    compiled = make_detector(name, compile=True, **HOW).fit(rows)
    assert hasattr(compiled.net_.module_, "_orig_mod")
    scores, expected = compiled.score_samples(rows), fitted(name).score_samples(rows)
    np.testing.assert_allclose(scores, expected, rtol=1e-3, atol=1e-3 * np.ptp(expected))
    loaded = pickle.loads(pickle.dumps(compiled))
    np.testing.assert_allclose(loaded.score_samples(rows), scores, rtol=1e-5)
    loaded.partial_fit(rows)
    assert np.isfinite(loaded.score_samples(make_rows(seed=1))).all()
