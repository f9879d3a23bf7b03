"""Pages in a headless browser, with a script of a test in them."""

import base64
import hashlib
import json
import os
import re
import shutil
import subprocess

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
# What the browser must not do: look for updates, or fetch lists of its own.
QUIET = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    # No name of a host is known, so that a request fails at once.
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--enable-logging=stderr",
    "--log-level=0",
)


def find_browser():
    """Return the program of a browser; skip the test if there is none, but not in CI."""
    for name in NAMES:
        if (found := shutil.which(name)) is not None:
            return found
    if os.environ.get("CI"):
        pytest.fail("There is no browser: apt-get install chromium.")
    pytest.skip("no browser; apt-get install chromium")


def run_in_page(page, script, folder):
    """Open a page, run a script that calls ``report(name, value)``, and return its reports.

    The policy of the page allows one script, its own; the test's is added to it.
    Return the values by name, and what the browser wrote to its console.
    """
    script = f"""
      const found = {{}};
      const report = (name, value) => {{ found[name] = value; }};
      const violations = [];
      document.addEventListener(
        "securitypolicyviolation", (event) => violations.push(event.blockedURI)
      );
      try {{ {script} }} catch (error) {{ report("error", String(error.stack)); }}
      // Requests are known once they have ended; the event "load" waits for them.
      addEventListener("load", () => {{
        report("violations", violations);
        report("requests", performance.getEntriesByType("resource").map((entry) => entry.name));
        const output = document.createElement("pre");
        output.id = "found";
        output.textContent = JSON.stringify(found);
        document.body.append(output);
      }});
    """
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert page.count("script-src 'sha256-") == 1
    page = page.replace("script-src '", f"script-src 'sha256-{digest}' '")
    page = page.replace("</body>\n</html>", f"<script>{script}</script></body></html>")
    path = folder / "page.html"
    path.write_bytes(page.encode("utf-8", "xmlcharrefreplace"))
    command = [find_browser(), *QUIET, f"--user-data-dir={folder / 'profile'}", "--dump-dom"]
    done = subprocess.run(
        [*command, path.as_uri()], capture_output=True, text=True, timeout=60, check=True
    )
    dumped = re.search(r'<pre id="found">(.*?)</pre>', done.stdout, re.DOTALL)
    assert dumped, done.stdout[-2000:] + done.stderr[-2000:]
    text = dumped[1].replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    found = json.loads(text)
    assert "error" not in found, found["error"]
    console = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    return found, console
