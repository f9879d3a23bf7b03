"""Serve a detector that ``serve_onnx.py`` wrote; needs numpy and onnxruntime alone.

python examples/serve_without_torch.py model.onnx
"""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import onnxruntime

path = Path(sys.argv[1])
session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
expected = np.load(path.with_suffix(".npz"))
for n in (1, 2, len(expected["rows"])):
    label, score, decision = session.run(None, {"X": expected["rows"][:n]})
    np.testing.assert_array_equal(label, expected["label"][:n])
    np.testing.assert_allclose(score, expected["score"][:n], rtol=1e-4)
    np.testing.assert_array_equal(label, np.where(decision < 0, -1, 1))
installed = [name for name in ("torch", "sklearn") if importlib.util.find_spec(name)]
print(f"{np.sum(label == -1)} of {len(label)} rows are outliers, as where there is torch")
print(f"installed here: {', '.join(installed) or 'neither torch nor scikit-learn'}")
if "--alone" in sys.argv and installed:
    sys.exit(f"expected an environment without {', '.join(installed)}")
