"""``python -m tests``: the whole suite with branch coverage, which must not fall."""

from __future__ import annotations

import subprocess
import sys

# Percent of lines and branches, of all processes that run from this checkout's sources. Raise a
# floor when the figure that the run prints has risen; never lower one.
FLOORS = {"tasks/amltasks/*": 93.0, "local/*": 90.0}
# The set-up verbs run in an environment of their own, which has no coverage in it.
UNMEASURED = "tasks/amltasks/admin/*"


def main() -> int:
    """Run every test, then print the coverage of each part; 1 when a test or a floor fails."""
    coverage = [sys.executable, "-m", "coverage"]
    without = f"--omit={UNMEASURED}"
    subprocess.run([*coverage, "erase"], check=True)
    tests = subprocess.run(
        [sys.executable, "-m", "pytest", "--cov", "--cov-report="], check=False
    ).returncode
    if tests:
        return tests
    result = 0
    for part, floor in FLOORS.items():
        found = subprocess.run(
            [*coverage, "report", "--format=total", "--precision=1", f"--include={part}", without],
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        ).stdout.strip()
        sys.stdout.write(f"coverage of {part}: {found} % (floor: {floor} %)\n")
        if float(found) < floor:
            result = 1
            subprocess.run(
                [*coverage, "report", f"--include={part}", without, "--skip-covered", "-m"],
                check=False,
            )
            sys.stdout.write(f"Next: test the lines of {part} that are listed above.\n")
    return result


if __name__ == "__main__":
    raise SystemExit(main())
