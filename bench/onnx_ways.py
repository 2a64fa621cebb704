"""The forward pass in numpy against onnxruntime: start and one text, in an environment of its own.

    uv run --no-project --with onnxruntime==1.32.0 --with onnx==1.23.2 --with numpy==2.3.2 \\
        python bench/onnx_ways.py

Neither package is in the project's locks, because the answer was numpy. The network is the
sample's, with random weights; its words are given as ids, for both ways read a text alike.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
ROUNDS = 5
CALLS = 2000
IDS, UNITS, HIDDEN, WORDS = 66, 32, 32, 9


def made(folder: Path) -> None:
    """Write the network in both forms."""
    import numpy as np
    import onnx  # type: ignore[import-not-found]
    from onnx import TensorProto, helper, numpy_helper

    random = np.random.default_rng(1)
    shapes = {"vectors": (IDS, UNITS), "k0": (UNITS, HIDDEN), "b0": (HIDDEN,)}
    shapes |= {"k1": (HIDDEN, 1), "b1": (1,)}
    arrays = {name: random.normal(size=size).astype(np.float32) for name, size in shapes.items()}
    arrays["vectors"][0] = 0
    np.savez(folder / "weights.npz", **arrays)  # type: ignore[arg-type]  # numpy's own stub
    nodes = [
        helper.make_node("Gather", ["vectors", "ids"], ["words"]),
        helper.make_node("ReduceMax", ["words", "axis"], ["largest"], keepdims=0),
        helper.make_node("Relu", ["largest"], ["pooled"]),
        helper.make_node("Gemm", ["pooled", "k0", "b0"], ["inner"]),
        helper.make_node("Tanh", ["inner"], ["hidden"]),
        helper.make_node("Gemm", ["hidden", "k1", "b1"], ["logit"]),
        helper.make_node("Sigmoid", ["logit"], ["score"]),
    ]
    arrays["axis"] = np.array([1])
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info("ids", TensorProto.INT64, ["rows", "words"])],
        [helper.make_tensor_value_info("score", TensorProto.FLOAT, ["rows", 1])],
        [numpy_helper.from_array(array, name) for name, array in arrays.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.checker.check_model(model)
    onnx.save(model, folder / "model.onnx")


def measured(way: str, folder: Path) -> None:
    """Start in one way, and print what the start took and what one text takes."""
    started = time.process_time()
    import numpy as np

    if way == "numpy":
        sys.path.insert(0, str(ROOT / "ml_scripts"))
        from forward import MAXIMUM, Scorer, Weights
        from vocabulary import Vocabulary

        with np.load(folder / "weights.npz") as arrays:
            layers = ((arrays["k0"], arrays["b0"]), (arrays["k1"], arrays["b1"]))
            weights = Weights(
                pooling=MAXIMUM, activation="tanh", vectors=arrays["vectors"], layers=layers
            )
        words = Vocabulary(words=tuple(str(number) for number in range(1, IDS)))
        score: Any = Scorer(vocabulary=words, weights=weights).scores
    else:
        import onnxruntime  # type: ignore[import-not-found]

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        session = onnxruntime.InferenceSession(str(folder / "model.onnx"), options)

        def score(rows: Any) -> Any:
            return session.run(None, {"ids": rows})[0][:, 0]

    row = np.arange(1, WORDS + 1, dtype=np.int32 if way == "numpy" else np.int64).reshape(1, -1)
    found = {"score": float(score(row)[0]), "ready_s": time.process_time() - started}
    started = time.process_time()
    for _ in range(CALLS):
        score(row)
    found["call_s"] = (time.process_time() - started) / CALLS
    sys.stdout.write(json.dumps(found) + "\n")


def main() -> None:
    """Measure both ways alternately, each time in a new process; CPU time, medians."""
    with tempfile.TemporaryDirectory() as name:
        made(Path(name))
        found: dict[str, list[dict[str, float]]] = {"numpy": [], "onnxruntime": []}
        for _ in range(ROUNDS):
            for way, results in found.items():
                command = [sys.executable, __file__, way, name]
                done = subprocess.run(command, capture_output=True, text=True, check=True)
                results.append(json.loads(done.stdout))
    scores = {round(each["score"], 6) for results in found.values() for each in results}
    if len(scores) != 1:
        raise RuntimeError(f"the two ways differ: {scores}")
    for way, results in found.items():
        ready = statistics.median(each["ready_s"] for each in results)
        call = statistics.median(each["call_s"] for each in results)
        sys.stdout.write(f"{way}: ready {ready * 1e3:.0f} ms, one text {call * 1e6:.1f} µs (CPU)\n")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        measured(sys.argv[1], Path(sys.argv[2]))
    else:
        main()
