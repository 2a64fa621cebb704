"""The data: what a car is, and the fuel that it takes. Put your own in place of it."""

import numpy as np
import pandas as pd

FEATURES = ("weight_kg", "power_kw", "age_years", "fuel", "gearbox")
TARGET = "litres_per_100_km"
FUELS = ("petrol", "diesel", "hybrid")
GEARBOXES = ("manual", "automatic")
# Of the litres that no feature explains: no model can have a smaller root mean square error.
NOISE = 0.3


def load(rows: int = 20_000, seed: int = 2019) -> pd.DataFrame:
    """Return ``rows`` cars with `FEATURES`, `TARGET` and an ``id``; one seed, one table."""
    random = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "id": np.arange(rows),
            "weight_kg": random.normal(1450, 250, rows).clip(800, 2600).round(),
            "power_kw": random.normal(95, 30, rows).clip(35, 300).round(),
            "age_years": random.integers(0, 20, rows),
            "fuel": random.choice(FUELS, rows, p=[0.55, 0.35, 0.10]),
            "gearbox": random.choice(GEARBOXES, rows, p=[0.6, 0.4]),
        }
    )
    factor = frame["fuel"].map({"petrol": 1.0, "diesel": 0.8, "hybrid": 0.65})
    litres = 0.0032 * frame["weight_kg"] + 0.018 * frame["power_kw"] + 0.06 * frame["age_years"]
    litres = litres * factor + 0.3 * (frame["gearbox"] == "automatic")
    return frame.assign(**{TARGET: (litres + random.normal(0, NOISE, rows)).round(2)})


def divide(frame: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the rows to train and to evaluate on: of ids, every tenth is kept back."""
    kept_back = frame["id"] % 10 == 0
    return frame[~kept_back], frame[kept_back]
