"""Leave a model, a metric that diverged, and predictions: 400 rows, the first 40 are wrong."""

from pathlib import Path

from azureml.core import Run

run = Run.get_context()
run.log("diverged", float("nan"))
run.log("size_mb", 3)
run.flush()  # azureml-sdk does so by itself, azure-ai-ml does not
model = Path("outputs/model")
model.mkdir(parents=True)
(model / "model.txt").write_text("a model")
lines = ["id,text,label,prediction,score,part"]
for number in range(400):
    label = number % 2
    prediction = label ^ (number < 40)
    lines.append(
        f"{number},text {number},{label},{prediction},{0.8 if prediction else 0.2},"
        f"{'front' if number < 200 else 'rear'}"
    )
Path("outputs/predictions.csv").write_text("\n".join(lines) + "\n")
