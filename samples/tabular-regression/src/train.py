"""Train the regression, measure it on rows that were kept back, and leave what the gate reads."""

import argparse
from pathlib import Path

import data
import mlflow
from sklearn.compose import make_column_transformer
from sklearn.linear_model import Ridge
from sklearn.metrics import mean_absolute_error, r2_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, PolynomialFeatures, StandardScaler

# Azure ML keeps what a run leaves in outputs/. The gate looks for these two names in it.
MODEL = Path("outputs", "model")
PREDICTIONS = Path("outputs", "predictions.csv")


def main(arguments: list[str] | None = None) -> None:
    """Train by the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--alpha", type=float, default=1.0, help="how much Ridge shrinks")
    options = parser.parse_args(arguments)

    training, evaluation = data.divide(data.load(options.rows))
    features = list(data.FEATURES)
    categories = [column for column in features if training[column].dtype == object]
    numbers = [column for column in features if column not in categories]
    model = make_pipeline(
        make_column_transformer(
            (OneHotEncoder(sparse_output=False), categories), (StandardScaler(), numbers)
        ),
        # A diesel of twice the weight is not a petrol car of twice the weight.
        PolynomialFeatures(interaction_only=True),
        Ridge(alpha=options.alpha),
    )
    model.fit(training[features], training[data.TARGET])

    found = model.predict(evaluation[features])
    PREDICTIONS.parent.mkdir(exist_ok=True)
    evaluation.assign(label=evaluation[data.TARGET], prediction=found)[
        ["id", "label", "prediction", "fuel", "gearbox"]
    ].to_csv(PREDICTIONS, index=False)
    mlflow.sklearn.save_model(model, MODEL)
    # The gate measures for itself, from the predictions; these make the curves in Azure ML.
    label = evaluation[data.TARGET]
    mlflow.log_metrics({"mae": mean_absolute_error(label, found), "r2": r2_score(label, found)})


if __name__ == "__main__":
    main()
