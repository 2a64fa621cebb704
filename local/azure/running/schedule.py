"""Runs the nodes of a graph in threads, each as soon as those that it waits for have completed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from local.azure.kernel.background import Stop
from local.azure.running.job import Outcome


def run_in_order(
    after: Mapping[str, frozenset[str]],
    work: Callable[[str], Outcome],
    *,
    stop: Stop,
    continue_on_failure: bool,
) -> dict[str, Outcome]:
    """Run `work` for every node; returns the outcomes of those that were started.

    after: the nodes, each with those that must have completed before it. After a failure only
    `continue_on_failure` starts others, and never those that wait for what failed.
    """
    waiting = list(after)
    outcomes: dict[str, Outcome] = {}
    with ThreadPoolExecutor(max_workers=max(len(waiting), 1)) as pool:
        running: dict[Future[Outcome], str] = {}
        while waiting or running:
            failed = any(outcome.status != "Completed" for outcome in outcomes.values())
            if stop.is_set() or (failed and not continue_on_failure):
                waiting.clear()
            completed = {node for node, end in outcomes.items() if end.status == "Completed"}
            for node in [node for node in waiting if after[node] <= completed]:
                waiting.remove(node)
                running[pool.submit(work, node)] = node
            if not running:  # what is left waits for one that failed
                break
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                outcomes[running.pop(future)] = future.result()
    return outcomes


def outcome_of(names: Mapping[str, str], outcomes: Mapping[str, Outcome], stop: Stop) -> Outcome:
    """The outcome of a whole graph. names: what its nodes are called, in their order."""
    if stop.is_set():
        if stop.reason == "Canceled":
            return Outcome(status="Canceled")
        return Outcome(status="Failed", code="ServiceInterrupted", message=stop.reason)
    ends = [
        f"{outcomes[node].status}: '{name}'."
        for node, name in names.items()
        if node in outcomes and outcomes[node].status != "Completed"
    ]
    if ends:
        return Outcome(
            status="Failed",
            code="UserError",
            message=(
                "Pipeline has some failed steps. See child run or execution logs for more details. "
                + " ".join(ends)
            ),
        )
    return Outcome(status="Completed")
