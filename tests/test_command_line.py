"""The command line: tables in files, exit codes, and messages that say what to do."""

import io
import json
import logging
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import (
    average_precision_score,
    precision_score,
    recall_score,
    roc_auc_score,
)
from sklearn.preprocessing import StandardScaler

from skdeepanomaly import (
    AutoEncoder,
    ConvAutoEncoder,
    DeepSAD,
    ThresholdedDetector,
    load_detector,
    make_detector_pipeline,
    save_detector,
)
from skdeepanomaly.cli import _commands, main
from skdeepanomaly.cli._arguments import make_parser
from skdeepanomaly.cli._errors import CommandError
from skdeepanomaly.cli._labels import read_labels

ROOT = Path(__file__).parents[1]
FAST = ["--param", "max_epochs=2"]
# The rows with huge amounts are fraud.
FRAUD = [3, 40, 77, 110]


def make_table():
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {
            "amount": rng.normal(size=150),
            "age": rng.normal(40, 9, size=150).round(1),
            "country": rng.choice(["FI", "SE", "NO"], 150),
            "status": "fine",
        }
    )
    table.loc[FRAUD, "amount"] = 30.0
    table.loc[FRAUD, "status"] = "fraud"
    return table


TABLE = make_table()
TRUTH = ["--label-column", "status", "--anomaly", "fraud"]


def assert_close(found, expected):
    # Some versions of pandas read the last digit of a number differently.
    np.testing.assert_allclose(found, expected, rtol=1e-6)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Make a folder with a table and a model of it."""
    folder = tmp_path_factory.mktemp("files")
    TABLE.to_csv(folder / "table.csv", index=False)
    assert (
        run(folder, "fit", "table.csv", "--output", "model", "--ignore", "status", *FAST) == 0
    )
    return folder


def run(folder, command, table, *arguments):
    """Run a command; files are those of a folder."""
    files = ("-o", "--output", "--model")
    arguments = [
        str(folder / value) if option in files else value
        for option, value in zip(["", *arguments], arguments, strict=False)
    ]
    return main([command, str(folder / table), *arguments])


def fails(folder, capsys, code, *arguments):
    """Run a command that fails, and return its message."""
    capsys.readouterr()
    assert run(folder, *arguments) == code
    output, message = capsys.readouterr()
    assert not output
    assert "Traceback" not in message
    assert "error: " in message
    return message.partition("error: ")[2]


def scores_of(folder, capsys, *arguments, table="table.csv", model="model"):
    """Return the output of ``score``, read from the standard output."""
    capsys.readouterr()
    assert run(folder, "score", table, "--model", model, *arguments) == 0
    return pd.read_csv(io.StringIO(capsys.readouterr().out))


def test_scores_are_those_of_the_package(folder, capsys):
    scores = scores_of(folder, capsys)
    detector = AutoEncoder(max_epochs=2, random_state=0)
    pipeline = make_detector_pipeline(detector, drop=["status"]).fit(TABLE)
    assert list(scores) == ["row", "label", "score", "decision"]
    np.testing.assert_array_equal(scores["row"], np.arange(1, 151))
    assert_close(scores["score"], pipeline.score_samples(TABLE))
    assert_close(scores["decision"], pipeline.decision_function(TABLE))
    np.testing.assert_array_equal(scores["label"], pipeline.predict(TABLE))
    assert set(scores["row"][np.argsort(scores["score"])[:4]] - 1) == set(FRAUD)


def test_messages_and_results_are_apart(folder, capsys):
    assert run(folder, "score", "table.csv", "--model", "model") == 0
    output, messages = capsys.readouterr()
    assert len(output.splitlines()) == 151
    n_flagged = sum(",-1," in line for line in output.splitlines())
    assert messages.splitlines() == [
        f"Read 150 rows and 4 columns of {folder / 'table.csv'}.",
        f"{n_flagged} of 150 rows ({n_flagged / 150:.1%}) are flagged.",
    ]
    assert run(folder, "score", "table.csv", "--model", "model", "--quiet") == 0
    assert capsys.readouterr() == (output, "")


def test_parquet_gives_the_same_as_csv(folder, capsys):
    TABLE.to_parquet(folder / "table.parquet", index=False)
    TABLE.to_csv(folder / "table.tsv", sep="\t", index=False)
    expected = scores_of(folder, capsys)
    for name, read in [("out.parquet", pd.read_parquet), ("out.csv", pd.read_csv)]:
        for table in ("table.parquet", "table.tsv"):
            assert run(folder, "score", table, "--model", "model", "--output", name) == 0
            found = read(folder / name)
            pd.testing.assert_frame_equal(found, expected, check_exact=False, rtol=1e-12)


@pytest.mark.parametrize("names", [["amount"], ["country", "age"]])
def test_an_index_with_names_is_columns(folder, capsys, names):
    TABLE.set_index(names).to_parquet(folder / "indexed.parquet")
    found = scores_of(folder, capsys, "--keep", names[0], table="indexed.parquet")
    assert found.pop(names[0]).tolist() == TABLE[names[0]].tolist()
    pd.testing.assert_frame_equal(found, scores_of(folder, capsys))
    # An index without a name is only the numbers of the rows.
    TABLE.set_index(TABLE.index[::-1]).to_parquet(folder / "indexed.parquet")
    pd.testing.assert_frame_equal(
        scores_of(folder, capsys, table="indexed.parquet"), scores_of(folder, capsys)
    )


def test_a_comma_at_the_end_of_each_row_shifts_no_columns(folder, capsys):
    lines = (folder / "table.csv").read_text().splitlines()
    (folder / "commas.csv").write_text("\n".join([lines[0], *(f"{x}," for x in lines[1:])]))
    found = scores_of(folder, capsys, table="commas.csv")
    pd.testing.assert_frame_equal(found, scores_of(folder, capsys))


@pytest.mark.parametrize(("separator", "option"), [("|", "|"), ("\t", "\\t"), ("  ", "\\s+")])
def test_cells_are_separated_as_said(folder, capsys, separator, option):
    text = (folder / "table.csv").read_text().replace(",", separator)
    (folder / "separated.csv").write_text(text)
    found = scores_of(folder, capsys, "--separator", option, table="separated.csv")
    pd.testing.assert_frame_equal(found, scores_of(folder, capsys))


def test_columns_are_found_by_name(folder, capsys):
    expected = scores_of(folder, capsys)
    # What fit has ignored may be there or not, and new columns are named.
    changed = TABLE[["country", "amount", "age"]].assign(shop=1, **{"zip code": 2})
    changed.to_csv(folder / "changed.csv", index=False)
    found = scores_of(folder, capsys, "--keep", "shop", table="changed.csv")
    assert found.pop("shop").eq(1).all()
    pd.testing.assert_frame_equal(found, expected)
    assert run(folder, "score", "changed.csv", "--model", "model") == 0
    message = capsys.readouterr().err
    assert "warning: The columns 'shop', 'zip code' were not in the training" in message
    TABLE.rename(columns={"amount": "amounts"}).to_csv(folder / "missing.csv", index=False)
    message = fails(folder, capsys, 1, "score", "missing.csv", "--model", "model")
    assert "no column 'amount', with which the model was trained." in message
    assert "Did you mean 'amounts'?" in message


def test_labels_are_no_input(folder, capsys):
    # The labels are not what AutoEncoder learns from, and no column that it sees.
    assert run(folder, "fit", "table.csv", "--output", "labelled", *TRUTH, *FAST) == 0
    message = capsys.readouterr().err
    assert "Labels: 4 anomalies, 146 normal, 0 unknown." in message
    assert "AutoEncoder learns without labels" in message
    assert "Columns: 2 numeric, 1 categorical. Left out: 'status'." in message
    expected = scores_of(folder, capsys)
    pd.testing.assert_frame_equal(scores_of(folder, capsys, model="labelled"), expected)


def test_texts_that_pandas_takes_for_missing_can_be_labels(folder, capsys):
    texts = TABLE["status"].map({"fraud": "dos"}).fillna("None")
    TABLE.assign(status=texts).to_csv(folder / "attacks.csv", index=False)
    arguments = ["--label-column", "status", "--anomaly", "dos"]
    command = ["evaluate", "attacks.csv", "--model", "model"]
    message = fails(folder, capsys, 1, *command, *arguments)
    assert "holds 'None', which could be a class or a missing value" in message
    arguments += ["--normal", "None"]
    assert run(folder, *command, *arguments) == 0
    assert "Labels: 4 anomalies, 146 normal, 0 unknown." in capsys.readouterr().err


def test_labels_reach_a_detector_that_learns_from_them(folder, capsys):
    arguments = ["--detector", "deepsad", *TRUTH, "--param", "pretrain_epochs=1"]
    assert run(folder, "fit", "table.csv", "--output", "sad", *arguments, *FAST) == 0
    assert "without labels" not in capsys.readouterr().err
    y = np.where(TABLE["status"] == "fraud", -1, 1)
    detector = DeepSAD(max_epochs=2, pretrain_epochs=1, random_state=0)
    pipeline = make_detector_pipeline(detector, drop=["status"]).fit(TABLE, y)
    found = scores_of(folder, capsys, model="sad")["score"]
    assert_close(found, pipeline.score_samples(TABLE))
    assert not np.allclose(found, pipeline.fit(TABLE).score_samples(TABLE), rtol=1e-3)
    arguments = ["--detector", "DevNet", "--ignore", "status", "--output", "dev"]
    assert "DevNet" in fails(folder, capsys, 1, "fit", "table.csv", *arguments, *FAST)
    assert not (folder / "dev").exists()


@pytest.mark.parametrize(
    ("values", "anomaly", "normal", "expected"),
    [
        ([-1, 1, 0], [], [], [-1, 1, 0]),
        ([-1.0, 1.0, np.nan], [], [], [-1, 1, 0]),
        ([1, 0, 0], [], [], [-1, 1, 1]),
        ([True, False, None], [], [], [-1, 1, 0]),
        (["1", " 0", ""], [], [], [-1, 1, 0]),
        (["1", "0", "NaN", "NA"], [], [], [-1, 1, 0, 0]),
        (["bad", "None", ""], ["bad"], ["None"], [-1, 1, 0]),
        (["good", "bad", "NA"], ["bad"], ["good"], [1, -1, 0]),
        (["bad", "good", None], ["bad"], [], [-1, 1, 0]),
        (["bad", "good", "open"], ["bad"], ["good"], [-1, 1, 0]),
        (["late", "lost", "paid"], ["late", "lost"], [], [-1, -1, 1]),
        (["late", "lost", None, "paid"], [], ["paid"], [-1, -1, 0, 1]),
        ([2.0, 3.0, np.nan], ["2"], [], [-1, 1, 0]),
    ],
)
def test_labels_are_read(values, anomaly, normal, expected):
    column = pd.Series(values, dtype=object)
    assert read_labels(column, "y", anomaly, normal).tolist() == expected
    if not isinstance(values[0], str):
        assert read_labels(pd.Series(values), "y", anomaly, normal).tolist() == expected


@pytest.mark.parametrize(
    ("values", "anomaly", "normal", "message"),
    [
        (["bad", "good"], [], [], "got 'bad', 'good'. Say which .* --anomaly VALUE"),
        ([1, 1], [], [], "Expected -1 .* got '1'"),
        ([None, None], [], [], "got empty cells"),
        (["bad", "good"], ["Bad"], [], "No row has 'Bad' .* holds 'bad', 'good'"),
        (["bad", "good"], ["bad"], ["fine"], "No row has 'fine' .* Give --normal one"),
        (["bad", "good"], ["bad"], ["bad"], "'bad' is given to --anomaly and to --normal"),
        (["bad", "None"], ["bad"], [], "holds 'None', which could be a class or a missing"),
        (["NA", "good", "bad"], [], ["good"], "holds 'NA', which could be"),
    ],
)
def test_labels_that_say_nothing_are_refused(values, anomaly, normal, message):
    with pytest.raises(CommandError, match=message):
        read_labels(values, "y", anomaly, normal)


def test_contamination_and_rules_set_the_threshold(folder, capsys):
    fit = ["fit", "table.csv", "--output", "other", "--ignore", "status", *FAST]
    assert run(folder, *fit, "--contamination", "0.3") == 0
    assert (scores_of(folder, capsys, model="other")["label"] == -1).sum() == 45
    rule = ["--threshold-rule", "quantile", "--threshold-param", "contamination=0.4"]
    assert run(folder, *fit, *rule) == 0
    detector = load_detector(folder / "other")
    assert isinstance(detector, ThresholdedDetector)
    assert np.mean(detector.calibration_scores_ < detector.offset_) == 0.4
    scores = scores_of(folder, capsys, model="other")
    np.testing.assert_array_equal(scores["label"], detector.predict(TABLE))
    assert run(folder, "explain", "table.csv", "--model", "other") == 0


def test_params_and_seed_reach_the_detector(folder, capsys):
    fit = ["fit", "table.csv", "--output", "other", "--ignore", "status", *FAST]
    params = ["hidden_dims=12,5", "activation=tanh", "optimizer__weight_decay=1e-3"]
    given = [part for text in params for part in ("--param", text)]
    assert run(folder, *fit, *given, "--seed", "7", "--categorical", "age") == 0
    pipeline = load_detector(folder / "other")
    detector = pipeline["detector"]
    assert detector.hidden_dims == (12, 5)
    assert (detector.activation, detector.random_state) == ("tanh", 7)
    assert detector.get_params()["optimizer__weight_decay"] == 1e-3
    assert pipeline["encode"].column_kinds_["age"] == "categorical"


def test_numbers_reach_a_detector_as_they_are(folder, capsys):
    images = pd.DataFrame(np.random.default_rng(0).random((60, 64))).add_prefix("pixel")
    images.assign(name="a").to_csv(folder / "images.csv", index=False)
    arguments = ["--detector", "ConvAutoEncoder", "--param", "image_shape=8,8", *FAST]
    fit = ["fit", "images.csv", "--output", "conv", "--no-encoding", *arguments]
    assert "got other values in 'name'" in fails(folder, capsys, 1, *fit)
    assert "--text has no meaning" in fails(folder, capsys, 2, *fit, "--text", "name")
    assert run(folder, *fit, "--ignore", "name") == 0
    detector = ConvAutoEncoder(image_shape=(8, 8), max_epochs=2, random_state=0).fit(images)
    scores = scores_of(folder, capsys, table="images.csv", model="conv")["score"]
    assert_close(scores, detector.score_samples(images))


def test_models_of_arrays_take_columns_in_order(folder, capsys):
    X = TABLE[["amount", "age"]]
    save_detector(AutoEncoder(max_epochs=2, random_state=0).fit(X.to_numpy()), folder / "array")
    X.to_csv(folder / "two.csv", index=False)
    scores = scores_of(folder, capsys, table="two.csv", model="array")["score"]
    expected = load_detector(folder / "array").score_samples(X.to_numpy())
    assert_close(scores, expected)
    assert run(folder, "explain", "two.csv", "--model", "array", "--all-rows") == 0
    explained = pd.read_csv(io.StringIO(capsys.readouterr().out))
    assert set(explained["column"]) == {"amount", "age"}
    message = fails(folder, capsys, 1, "score", "table.csv", "--model", "array")
    assert "The table has 4 columns, but the model was trained with 2" in message


def test_explanations_name_the_column(folder, capsys):
    table = TABLE.copy()
    table.loc[5, "country"] = "XX"
    table.loc[6, "age"] = None
    table.to_csv(folder / "odd.csv", index=False)
    explain = ["explain", "odd.csv", "--model", "model", "--keep", "status"]
    assert run(folder, *explain) == 0
    found = pd.read_csv(io.StringIO(capsys.readouterr().out), keep_default_na=False)
    first = found[found["rank"] == 1].set_index("row")
    assert set(first.loc[[row + 1 for row in FRAUD], "column"]) == {"amount"}
    assert set(first.loc[[row + 1 for row in FRAUD], "value"]) == {"30.0"}
    assert set(first.loc[[row + 1 for row in FRAUD], "status"]) == {"fraud"}
    assert first.loc[6, ["column", "value"]].tolist() == ["country", "XX"]
    assert first.loc[7, ["column", "value"]].tolist() == ["age", ""]
    flagged = scores_of(folder, capsys, table="odd.csv").query("label == -1")
    assert sorted(first.index) == flagged["row"].tolist()
    assert (found["contribution"] > 0).all()
    np.testing.assert_allclose(found.groupby("row")["share"].sum(), 1)
    assert not found.duplicated(["row", "rank"]).any()
    arguments = ["--all-rows", "--top", "1", "--output", "why.parquet"]
    assert run(folder, *explain, *arguments) == 0
    assert len(pd.read_parquet(folder / "why.parquet")) == 150


def test_a_detector_that_explains_nothing_is_named(folder, capsys):
    fit = ["fit", "table.csv", "--output", "other", "--detector", "ClusterwiseDetector"]
    assert run(folder, *fit, "--ignore", "status") == 0
    assert (scores_of(folder, capsys, model="other")["label"] == -1).any()
    message = fails(folder, capsys, 1, "explain", "table.csv", "--model", "other")
    assert "ClusterwiseDetector has no explain(X)" in message


def test_a_failed_write_leaves_the_old_file(folder, capsys, monkeypatch):
    score = ["score", "table.csv", "--model", "model", "--output", "old.csv"]
    (folder / "old.csv").write_text("old")

    def fail(self, path, **_):
        Path(path).write_text("half of a table")
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(pd.DataFrame, "to_csv", fail)
        message = fails(folder, capsys, 1, *score)
    assert "old.csv cannot be written: No space left on device" in message
    assert (folder / "old.csv").read_text() == "old"
    assert not list(folder.glob("unfinished*"))
    assert run(folder, *score) == 0
    assert len(pd.read_csv(folder / "old.csv")) == 150


def test_nothing_flagged_gives_an_empty_table(folder, capsys):
    TABLE[10:12].to_csv(folder / "few.csv", index=False)
    assert (scores_of(folder, capsys, table="few.csv")["label"] == 1).all()
    assert run(folder, "explain", "few.csv", "--model", "model", "--keep", "age") == 0
    expected = "row,age,score,rank,column,value,contribution,share"
    assert capsys.readouterr().out.splitlines() == [expected]


def content_of(page):
    """Return what a page of ``report`` shows."""
    text = page.read_text()
    start = text.index(">", text.index('type="application/json"')) + 1
    return json.loads(text[start : text.index("</script>", start)])


def test_reports_show_what_a_model_flags(folder, capsys):
    scores = scores_of(folder, capsys)
    report = ["report", "table.csv", "-o", "page.html", "--model", "model", *TRUTH]
    assert run(folder, *report, "--title", "Frauds", "--max-rows", "30", "--hide", "age") == 0
    output, messages = capsys.readouterr()
    assert not output
    n_flagged = int(np.sum(scores["label"] == -1))
    assert f"{n_flagged} of 150 rows" in messages
    content = content_of(folder / "page.html")
    assert content["title"] == "Frauds"
    assert content["scores"]["n_flagged"] == n_flagged
    rows = {row["row"]: row for row in content["rows"]}
    assert len(rows) == 30
    assert all(rows[place]["label"] == -1 for place in FRAUD)
    assert [column["name"] for column in content["columns"]] == ["amount", "country"]
    page = (folder / "page.html").read_bytes()
    assert run(folder, *report, "--title", "Frauds", "--max-rows", "30", "--hide", "age") == 0
    assert (folder / "page.html").read_bytes() == page


def test_reports_fit_a_detector_where_no_model_is_given(folder, capsys):
    arguments = ["--contamination", "0.04", "--ignore", "country", *TRUTH, *FAST]
    fit = ["fit", "table.csv", "--output", "other", *arguments]
    assert run(folder, *fit) == 0
    scores = scores_of(folder, capsys, model="other")
    assert run(folder, "report", "table.csv", "--output", "page.html", *arguments) == 0
    rows = content_of(folder / "page.html")["rows"]
    expected = -scores["score"][[row["row"] for row in rows]]  # of anomaly in a report
    np.testing.assert_allclose([row["score"] for row in rows], expected, rtol=1e-4)
    assert sum(row["flagged"] for row in rows) == np.sum(scores["label"] == -1)


def test_reports_of_models_of_arrays_have_the_names_of_the_table(folder, capsys):
    numbers = TABLE[["amount", "age"]]
    numbers.assign(status=TABLE["status"]).to_csv(folder / "numbers.csv", index=False)
    detector = AutoEncoder(max_epochs=2, random_state=0).fit(numbers.to_numpy())
    save_detector(detector, folder / "arrays")
    report = ["report", "numbers.csv", "-o", "page.html", "--model", "arrays", *TRUTH]
    assert run(folder, *report) == 0
    columns = content_of(folder / "page.html")["columns"]
    assert [column["name"] for column in columns] == ["amount", "age"]


def test_a_model_and_a_detector_to_fit_exclude_each_other(folder, capsys):
    report = ["report", "table.csv", "-o", "page.html", "--model", "model"]
    assert "--ignore describes a detector" in fails(
        folder, capsys, 2, *report, "--ignore", "age"
    )
    assert "--no-encoding describes" in fails(folder, capsys, 2, *report, "--no-encoding")
    message = fails(folder, capsys, 1, *report, "--hide", "ages")
    assert "Did you mean 'age'?" in message


def test_evaluation_agrees_with_scikit_learn(folder, capsys):
    table = TABLE.copy()
    # Others than the model would choose, so that the figures are not all 1.
    table.loc[[0, 1, 2], "status"] = "fraud"
    table.loc[[10, 11], "status"] = None
    table.to_csv(folder / "truth.csv", index=False)
    judged = table["status"].notna().to_numpy()
    truth = (table["status"] == "fraud")[judged]
    scores = scores_of(folder, capsys, table="truth.csv")[judged]
    evaluate = ["evaluate", "truth.csv", "--model", "model", "--label-column", "status"]
    assert run(folder, *evaluate, "--anomaly", "fraud", "--output", "figures.csv") == 0
    printed = dict(line.split() for line in capsys.readouterr().out.splitlines())
    flagged = scores["label"] == -1
    expected = {
        "rows": 148,
        "anomalies": 7,
        "flagged": flagged.sum(),
        "roc_auc": roc_auc_score(truth, -scores["decision"]),
        "average_precision": average_precision_score(truth, -scores["decision"]),
        "precision": precision_score(truth, flagged),
        "recall": recall_score(truth, flagged),
    }
    assert {name: float(value) for name, value in printed.items()} == pytest.approx(
        expected, abs=1e-4
    )
    written = pd.read_csv(folder / "figures.csv", index_col="metric")["value"]
    assert written.to_dict() == pytest.approx(expected)
    assert 0.5 < expected["roc_auc"] < 1


def test_evaluation_warns_of_labels_that_were_an_input(folder, capsys):
    assert run(folder, "fit", "table.csv", "--output", "leaky", *FAST) == 0
    for model, warns in [("leaky", True), ("model", False)]:
        capsys.readouterr()
        assert run(folder, "evaluate", "table.csv", "--model", model, *TRUTH) == 0
        assert ("say nothing of new rows" in capsys.readouterr().err) == warns


@pytest.mark.parametrize(
    ("arguments", "messages"),
    [
        (["fit", "table.csv"], ["--output"]),
        (["guess", "table.csv"], ["invalid choice: 'guess'"]),
        (["score", "table.csv", "--model", "model", "--outptu", "x"], ["--outptu"]),
        (["explain", "table.csv", "--model", "model", "--top", "0"], ["from 1 on, got '0'"]),
        (["fit", "t.csv", "--output", "o", "--seed", "x"], ["invalid int value: 'x'"]),
        (["fit", "t.csv", "--output", "o", "--threshold-rule", "x"], ["'x'", "quantile"]),
    ],
)
def test_unknown_arguments_end_with_two(folder, capsys, arguments, messages):
    assert run(folder, *arguments) == 2
    message = capsys.readouterr().err
    assert all(text in message for text in messages)


@pytest.mark.parametrize(
    ("arguments", "messages"),
    [
        (["--detector", "AutoEncodr"], ["Did you mean 'AutoEncoder'?", "DeepSVDD"]),
        (["--param", "latent_dims=3"], ["no such parameter", "Did you mean 'latent_dim'?"]),
        (["--param", "latent_dim"], ["expected NAME=VALUE"]),
        (["--param", "latent_dim=-3"], ["latent_dim", "-3"]),
        (["--param", "contamination=0.1"], ["use --contamination"]),
        (["--param", "random_state=1"], ["use --seed"]),
        (["--contamination", "0.9"], ["contamination", "0.9"]),
        (["--contamination", "few"], ["contamination", "'few'"]),
        (["--contamination", "0.1", "--threshold-rule", "pot"], ["both set the threshold"]),
        (["--threshold-param", "contamination=0.1"], ["needs --threshold-rule"]),
        (
            ["--threshold-rule", "quantile", "--threshold-param", "contamination=2"],
            ["contamination", "Got 2"],
        ),
        (["--threshold-rule", "iqr", "--threshold-param", "x=2"], ["no such parameter"]),
    ],
)
def test_wrong_values_end_with_two(folder, capsys, arguments, messages):
    fit = ["fit", "table.csv", "--output", "never", *arguments]
    message = fails(folder, capsys, 2, *fit)
    assert all(text in message for text in messages)
    assert "python -m skdeepanomaly fit --help" in message
    assert not (folder / "never").exists()


@pytest.mark.parametrize("separator", ["", "||", "§", ", "])
def test_other_separators_end_with_two(folder, capsys, separator):
    arguments = ["score", "table.csv", "--model", "model", "--separator", separator]
    assert f"--separator {separator!r}: expected one" in fails(folder, capsys, 2, *arguments)


def test_files_of_other_kinds_end_with_two(folder, capsys):
    message = fails(folder, capsys, 2, "score", "table.xlsx", "--model", "model")
    assert ".csv, .csv.gz" in message
    arguments = ["score", "table.csv", "--model", "model", "--output", "scores.xlsx"]
    assert ".parquet" in fails(folder, capsys, 2, *arguments)


def write_bad_files(folder):
    TABLE.drop(FRAUD).to_csv(folder / "all_normal.csv", index=False)
    (folder / "empty.csv").write_text("")
    (folder / "no_rows.csv").write_text("amount,age\n")
    (folder / "semicolons.csv").write_text("amount;age\n1;2\n")
    (folder / "tabulators.txt").write_text("amount\tage\n1\t2\n")
    (folder / "bars.csv").write_text("amount|age\n1|2\n")
    (folder / "no_name.csv").write_text("a,b\n1,2,3\n4,5,6\n")
    (folder / "ragged.csv").write_text("a,b\n1,2\n1,2,3,4\n")
    (folder / "bytes.csv").write_bytes(b"a,b\n\xff\xfe,\x80\n")
    (folder / "bytes.parquet").write_bytes(b"no parquet")
    (folder / "pickle").write_bytes(b"\x80\x04K\x01.")
    save_detector(StandardScaler().fit([[1.0], [2.0]]), folder / "scaler")


@pytest.mark.parametrize(
    ("arguments", "messages"),
    [
        (["score", "none.csv", "--model", "model"], ["none.csv", "No such file"]),
        (["score", "empty.csv", "--model", "model"], ["empty.csv", "No columns"]),
        (["score", "no_rows.csv", "--model", "model"], ["holds no rows"]),
        (["score", "semicolons.csv", "--model", "model"], ['--separator ";"']),
        (["fit", "tabulators.txt", "--output", "x"], ['--separator "\\t"']),
        (["fit", "bars.csv", "--output", "x"], ['--separator "|"']),
        (["fit", "no_name.csv", "--output", "x"], ["no_name.csv has more cells", "a name"]),
        (["score", "ragged.csv", "--model", "model"], ["ragged.csv", "line 3"]),
        (["score", "bytes.csv", "--model", "model"], ["bytes.csv", "utf-8"]),
        (["score", "bytes.parquet", "--model", "model"], ["bytes.parquet", "Parquet"]),
        (["score", "table.csv", "--model", "none"], ["none", "No such file", "fit has saved"]),
        (["score", "table.csv", "--model", "pickle"], ["pickle", "save_detector"]),
        (["score", "table.csv", "--model", "scaler"], ["StandardScaler, which does not score"]),
        (
            ["score", "table.csv", "--model", "model", "--output", "no/scores.csv"],
            ["there is no folder"],
        ),
        (["score", "table.csv", "--model", "model", "--keep", "agee"], ["Did you mean 'age'?"]),
        (["fit", "table.csv", "--output", "."], ["it is a folder"]),
        (["fit", "table.csv", "--output", "no/model"], ["there is no folder"]),
        (["fit", "table.csv", "--output", "x", "--ignore", "agee"], ["Did you mean 'age'?"]),
        (["fit", "table.csv", "--output", "x", "--text", "agee"], ["'agee'"]),
        (["fit", "table.csv", "--output", "x", "--date", "country"], ["'country'", "date"]),
        (["fit", "table.csv", "--output", "x", "--param", "optimizer__x=1"], ["optimizer__x"]),
        (
            ["fit", "table.csv", "--output", "x", "--label-column", "statsu"],
            ["Did you mean 'status'?"],
        ),
        (
            ["evaluate", "table.csv", "--model", "model", "--label-column", "status"],
            ["'fine', 'fraud'", "--anomaly VALUE"],
        ),
        (
            ["evaluate", "all_normal.csv", "--model", "model", *TRUTH[:2], "--normal", "fine"],
            ["has no anomaly"],
        ),
    ],
)
def test_tables_and_models_that_do_not_do_end_with_one(folder, capsys, arguments, messages):
    write_bad_files(folder)
    message = fails(folder, capsys, 1, *arguments)
    assert all(text in message for text in messages)


def test_keep_does_not_overwrite_the_output(folder, capsys):
    TABLE.assign(score=1).to_csv(folder / "scored.csv", index=False)
    arguments = ["score", "scored.csv", "--model", "model", "--keep", "score"]
    assert "has a column of this name already" in fails(folder, capsys, 1, *arguments)


@pytest.mark.parametrize(
    ("name", "command"), [("pandas", "fit"), ("safetensors", "fit"), ("jinja2", "report")]
)
def test_missing_packages_are_named(folder, capsys, monkeypatch, name, command):
    monkeypatch.setitem(sys.modules, name, None)
    message = fails(folder, capsys, 1, command, "table.csv", "--output", "x")
    assert name in message
    assert 'pip install "skdeepanomaly[cli]"' in message


def test_faults_of_the_program_are_not_hidden(folder, monkeypatch):
    def fail(*_):
        raise KeyError("a fault")

    monkeypatch.setattr(_commands, "judge", fail)
    with pytest.raises(KeyError, match="a fault"):
        run(folder, "score", "table.csv", "--model", "model")


def test_interrupted_training_saves_nothing(folder, capsys, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(_commands, "_described", interrupt)
    fit = ["fit", "table.csv", "--output", "interrupted", *FAST]
    assert run(folder, *fit) == 130
    assert "nothing was written" in capsys.readouterr().err
    assert not (folder / "interrupted").exists()


def test_warnings_are_messages(folder, capsys):
    codes = [f"S-{i * 7919}" for i in range(150)]
    TABLE.assign(code=codes).to_csv(folder / "codes.csv", index=False)
    assert run(folder, "fit", "codes.csv", "--output", "codes", *FAST) == 0
    lines = capsys.readouterr().err.splitlines()
    assert any(line.startswith("warning: ") for line in lines)
    assert any("as those of identifiers do" in line for line in lines)
    assert not any("UserWarning" in line or ".py:" in line for line in lines)


def test_progress_is_shown_on_a_terminal_only(folder, capsys, monkeypatch):
    fit = ["fit", "table.csv", "--output", "other", "--ignore", "status", *FAST]
    assert run(folder, *fit) == 0
    assert "epoch" not in capsys.readouterr().err
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    assert run(folder, *fit) == 0
    assert "2/2" in capsys.readouterr().err
    assert run(folder, *fit, "--quiet") == 0
    assert not capsys.readouterr().err


def test_verbose_shows_epochs_and_leaves_the_logger_alone(folder, capsys):
    logger = logging.getLogger("skdeepanomaly")
    before = (logger.level, list(logger.handlers))
    fit = ["fit", "table.csv", "--output", "other", "--ignore", "status", *FAST]
    assert run(folder, *fit, "-v") == 0
    lines = capsys.readouterr().err.splitlines()
    assert sum(line.startswith("AutoEncoder: epoch ") for line in lines) == 2
    assert (logger.level, list(logger.handlers)) == before
    assert "Traceback" not in "".join(lines)
    assert run(folder, "score", "none.csv", "--model", "model", "-v") == 1
    message = capsys.readouterr().err
    assert "Traceback" in message
    assert "error: " in message
    assert (logger.level, list(logger.handlers)) == before


def test_help_and_version(capsys):
    for arguments in (["--version"], ["--help"], ["fit", "--help"], ["evaluate", "--help"]):
        assert main(arguments) == 0
    text = capsys.readouterr().out
    assert "DeepSVDD" in text
    assert "Exit codes" in text


def test_every_option_is_in_the_guide():
    guide = (ROOT / "docs" / "user_guide" / "command_line.rst").read_text()
    commands = make_parser()._subparsers._group_actions[0].choices
    assert set(commands) == {"fit", "score", "explain", "report", "evaluate"}
    for name, parser in commands.items():
        for action in parser._actions:
            assert action.help, f"{name} {action.dest} has no help"
            for option in action.option_strings:
                assert f"``{option}" in guide or option in ("-h", "--help"), option


def test_module_and_script_run_main(folder):
    command = [sys.executable, "-m", "skdeepanomaly", "score", "none.csv", "--model"]
    ended = subprocess.run([*command, folder / "model"], capture_output=True, text=True)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.startswith("error: none.csv cannot be read: No such file")
    with open(ROOT / "pyproject.toml", "rb") as file:
        scripts = tomllib.load(file)["project"]["scripts"]
    assert scripts == {"skdeepanomaly": f"{main.__module__.rpartition('.')[0]}:main"}
