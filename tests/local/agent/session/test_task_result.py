"""Cases of the agent's src/Test/L0/Util/TaskResultUtilL0.cs (TaskResultsMerge) at 42bde98."""

from __future__ import annotations

import pytest

from local.agent.session.task_result import Result, merge, roll_up

S, W, F, C, K, A = (
    Result.Succeeded,
    Result.SucceededWithIssues,
    Result.Failed,
    Result.Canceled,
    Result.Skipped,
    Result.Abandoned,
)
CASES = [
    *[(None, result, result) for result in Result],
    *[(result, result, result) for result in Result],
    *[(S, W, W), (S, A, A), (S, C, C), (S, F, F), (S, K, K), (W, A, A), (W, C, C), (W, F, F)],
    *[(W, K, K), (A, W, A), (A, S, A), (C, W, C), (C, S, C), (F, W, F), (F, S, F), (K, W, K)],
    *[(K, S, K), (W, S, W), (A, C, A), (A, F, A), (A, K, A), (C, A, C), (C, F, C), (C, K, C)],
    *[(F, A, A), (F, C, C), (F, K, K), (K, A, K), (K, C, K), (K, F, K)],
]


@pytest.mark.parametrize(("current", "coming", "expected"), CASES)
def test_results_merge(current, coming, expected):
    assert merge(current, coming) is expected


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ([], S),
        ([S, S], S),
        ([S, W], W),
        ([S, K], S),
        ([K, K], K),
        ([W, F, S], F),
        ([F, C], C),
    ],
)
def test_a_group_is_as_bad_as_its_worst_member(members, expected):
    assert roll_up(members) is expected
