"""What the rules of the gate may say. The dataclasses are also their JSON schema and their docs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from amltasks.gate import measures, model_types
from amltasks.gate.hygiene import TRAINING_SHARE
from amltasks.gate.options import described

ANCHOR, BASELINE = "anchor", "baseline"
"""What a check compares with."""

ANCHORS = ("best", "first", "none")

# Better when lower, of what is measured without predictions; the rest says so in MEASURES.
LOWER = frozenset(
    {
        "loss",
        "model_size_mb",
        "scoring_ms",
        "seen_in_training",
        "label_shift",
        "invalid_scores",
    }
)


@dataclass(frozen=True, kw_only=True)
class Amount:
    """A gain or a loss: in the metric's unit, or (``relative``) a share of the baseline's value."""

    value: float
    relative: bool = False

    def of(self, baseline: float) -> float:
        """The amount in the metric's unit."""
        if not self.relative:
            return self.value
        # Decimal: in binary a tenth of 0.8 is a little more than 0.08.
        return float(Decimal(repr(self.value)) * abs(Decimal(repr(baseline))))

    def __str__(self) -> str:
        """As it is written in the rules."""
        return f"{self.value * 100:g} %" if self.relative else f"{self.value:g}"


@dataclass(frozen=True, kw_only=True)
class Rule:
    """What one metric must be, on all rows or on each of some slices."""

    metric: str = described(
        "Name of the metric: one the run logged, or one measured from the predictions.",
        required=True,
    )
    direction: str = described(
        "Which way is better. Known for the usual metrics, to be given for any other.",
        options=("higher", "lower"),
    )
    floor: float | None = described("The least acceptable value.")
    ceiling: float | None = described("The greatest acceptable value.")
    min_gain: Amount | None = described(
        "Superiority: the candidate must be shown to be better than the baseline by more than "
        "this; a number in the metric's unit, or a share of the baseline such as `5%`."
    )
    max_loss: Amount | None = described(
        "Non-inferiority: the candidate must be shown to be worse than the baseline by less than "
        "this; a number in the metric's unit, or a share of the baseline such as `5%`."
    )
    max_total_loss: Amount | None = described(
        "The greatest total loss against the anchor (see the key of the file), as `max_loss`. Left "
        "out, it is twice `max_loss`."
    )
    max_gap: float | None = described(
        "The greatest acceptable difference between the candidate's best and worst slice."
    )
    slices: tuple[str, ...] = described(
        "Columns of the predictions: the rule applies to each value of each (`material`), to one "
        "(`material=iron`), or to each pair of values of two (`material * era`). Left out, it "
        "applies to all rows.",
        default=(),
    )
    severity: str = described(
        "Whether a rule that does not hold rejects the candidate or only warns.",
        options=("fail", "warn"),
    )
    seeds: tuple[float, ...] = described(
        "The metric's values in two or more trainings that differ by their seed only: gains and "
        "losses within that noise are not counted.",
        default=(),
    )
    single_numbers: str | None = described(
        "As the key of the file, for this rule alone.",
        options=("fail", "warn", "pass"),
        default=None,
    )
    too_few_rows: str | None = described(
        "As the key of the file, for this rule alone.", options=("fail", "warn"), default=None
    )
    undefined: str | None = described(
        "Where the metric is not defined, such as recall without a row of label 1. Left out, the "
        "gate passes over a slice on which no model could have the metric, and rejects otherwise.",
        options=("fail", "pass"),
        default=None,
    )

    def few(self, rules: Rules) -> str:
        """Return ``fail`` or ``warn``: what becomes of it where the rows are too few."""
        return self.too_few_rows or rules.too_few_rows


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """The evaluation set that the candidate must have been measured on."""

    sha256: str | None = described(
        "Digest of its rows (ids, labels, inputs, and weights and queries where there are any), as "
        "every report of the gate shows it."
    )
    min_rows: int = described("The least number of rows.", default=1)
    min_inputs: int = described("The least number of distinct inputs.", default=1)


@dataclass(frozen=True, kw_only=True)
class Rules:
    """All rules, and what happens where they cannot be applied."""

    rules: tuple[Rule, ...] = described("The rules.", required=True)
    no_incumbent: str = described(
        "Whether a candidate passes that there is nothing to compare with.",
        options=("fail", "pass"),
    )
    single_numbers: str = described(
        "Where only logged numbers are known: a comparison has no rows of both models, so that "
        "chance cannot be looked at, or a limit on what rows tell has no rows of the candidate. "
        "Reject, pass with a warning, or pass.",
        options=("fail", "warn", "pass"),
    )
    different_rows: str = described(
        "Where the two models were not measured on the same rows: fail, or compare their metrics "
        "as single numbers.",
        options=("fail", "points"),
    )
    too_few_rows: str = described(
        "Where so few rows cannot tell whether a rule holds.", options=("fail", "warn")
    )
    tie: str = described(
        "Where `min_gain` is 0 and both models are exactly as good.", options=("fail", "pass")
    )
    confidence: float = described(
        "Of each bound on a gain: a rule that does not hold passes at most this seldom (0.95: one "
        "time in twenty).",
        default=0.95,
    )
    min_inputs: int = described(
        "The least number of distinct inputs to judge a gain or a loss by.", default=30
    )
    anchor: str | int = described(
        "The earlier model that the total loss is held to, so that small losses do not add up: the "
        "best promoted version on the same rows (`best`), the first (`first`), a version (`7`), or "
        "`none`. Without an earlier version on the same rows there is none.",
        default="best",
    )
    looks: str = described(
        "Earlier looks at the same rows: report how many there were (`count`), or divide the error "
        "over all looks (`spend`): the bounds of look k have the confidence "
        "1 - (1 - confidence) / (k (k + 1)).",
        options=("count", "spend"),
    )
    examples: int = described(
        "How many rows that the candidate newly gets wrong, and newly right, the page shows with "
        "their inputs; 0 for sensitive data.",
        default=5,
    )
    resamples: int = described("Resamples of a bootstrap.", default=10000)
    evaluation: Evaluation | None = described(
        "The evaluation set that the candidate must have been measured on: `sha256`, `min_rows`, "
        "`min_inputs`. A candidate without predictions, or with others, is rejected."
    )
    model_type: str = described(
        "What the predictions are of. `auto` goes by the measures in the rules, then by the file.",
        options=("auto", *model_types.ALL),
    )
    positive_label: str | None = described(
        "Which of two labels is the positive one, where they are not 0 and 1."
    )
    columns: Mapping[str, str] = described(
        "Names of the file's columns, by what they stand for: `{label: y_true, score: p}`.",
        default={},
    )

    @property
    def metrics(self) -> frozenset[str]:
        """The logged metrics that the rules may need."""
        return frozenset(rule.metric for rule in self.rules) | {TRAINING_SHARE}

    @property
    def slice_columns(self) -> tuple[str, ...]:
        """The columns of the predictions that the rules call slices."""
        named = (each.partition("=")[0] for rule in self.rules for each in rule.slices)
        return tuple(dict.fromkeys(named))

    @property
    def value_columns(self) -> tuple[str, ...]:
        """The columns of numbers that the rules take measures of."""
        return measures.columns_of(rule.metric for rule in self.rules)

    @property
    def model_types(self) -> tuple[str, ...]:
        """The kinds of model that all measures in the rules can be taken of."""
        if self.model_type != "auto":
            return (self.model_type,)
        found = measures.model_types_of(rule.metric for rule in self.rules)
        if self.positive_label is None:
            return found
        return tuple(each for each in found if each == model_types.BINARY)

    @property
    def need_rows(self) -> bool:
        """Whether the rules say anything that predictions would tell."""
        return self.evaluation is not None or any(
            rule.slices or rule.metric in HYGIENE or measures.find(rule.metric) is not None
            for rule in self.rules
        )


HYGIENE: Mapping[str, str] = {
    "seen_in_training": "share of the distinct evaluation inputs that were trained on, 0 to 1",
    "label_shift": "difference of the share of label 1 between evaluation and training, 0 to 1",
    "distinct_predictions": "how many different labels the model predicts; 1 is a constant",
    "invalid_scores": "share of the scores that are no probability, 0 to 1",
}
"""What is measured of the evaluation itself, in the words of the docs."""
