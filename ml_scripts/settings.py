"""The command line of train.py."""

import argparse
import math
from pathlib import Path

import components
from sources import given

# The kinds of network that network.py builds; here, because reading a command line needs no Keras.
NETWORKS = ("small", "seed")


def parse(arguments: list[str] | None, description: str) -> argparse.Namespace:
    """Read and check the command line; wrong settings end the program with one sentence."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument(
        "--data", type=given, default="", help="CSV with text,label: path, URL, or generated"
    )
    parser.add_argument(
        "--rows", type=int, default=components.DEFAULT_ROWS, help="rows to generate without --data"
    )
    parser.add_argument(
        "--network",
        choices=NETWORKS,
        default=NETWORKS[0],
        help="small: pooled word vectors; seed: the network of the workshop (default: %(default)s)",
    )
    parser.add_argument(
        "--glove", type=given, default="", help="GloVe text file: path, URL, or none"
    )
    parser.add_argument(
        "--glove-vectors",
        choices=("frozen", "tuned"),
        default="frozen",
        help="whether training changes the vectors of --glove (default: %(default)s)",
    )
    parser.add_argument(
        "--epochs",
        type=int,
        default=10,
        help="at most so many passes; 0 leaves the network untrained (default: %(default)s)",
    )
    parser.add_argument(
        "--patience",
        type=int,
        default=2,
        help="passes without a smaller validation loss before training ends (default: %(default)s)",
    )
    parser.add_argument("--learning-rate", type=float, default=0.01, help="default: %(default)s")
    parser.add_argument("--batch-size", type=int, default=256, help="default: %(default)s")
    parser.add_argument(
        "--class-weights",
        choices=("none", "balanced"),
        default="none",
        help="balanced: both labels weigh the same, however many rows they have",
    )
    parser.add_argument("--seed", type=int, default=1, help="of the training, not of the data")
    parser.add_argument(
        "--seeds",
        type=int,
        default=1,
        help="train so often, with seeds from --seed on, and write seeds.json for the gate's rules",
    )
    parser.add_argument(
        "--checkpoints", type=Path, help="folder from which an interrupted training goes on"
    )
    parser.add_argument("--model-name", default="", help="written into metadata.json")
    parser.add_argument("--model-output", type=Path, help="second folder to save the model in")
    options = parser.parse_args(arguments)
    _check(parser, options)
    return options


def _check(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    for name, least in (("epochs", 0), ("patience", 1), ("batch_size", 1), ("seeds", 1)):
        if getattr(options, name) < least:
            option = name.replace("_", "-")
            parser.error(f"--{option} is {getattr(options, name)}: give {least} or more.")
    if not (math.isfinite(options.learning_rate) and options.learning_rate > 0):
        parser.error(f"--learning-rate is {options.learning_rate}: give a number above 0.")
    if options.seed < 0 or options.seed + options.seeds > 2**32:
        parser.error(f"--seed is {options.seed}: give a number from 0 to 4294967295.")
    if options.glove_vectors == "tuned" and not options.glove:
        parser.error("--glove-vectors is tuned, but there is no --glove whose vectors to tune.")
