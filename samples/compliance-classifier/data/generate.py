"""Write the sample's data as a CSV file: ``python generate.py OUTPUT.csv [--rows N] [--seed N]``.

The rule lives with the training script, which generates the same rows when it is given no data.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "ml_scripts"))

from components import main

if __name__ == "__main__":
    main()
