"""Has numpy compute in one thread, when it is imported before numpy.

A worker of the service answers one request at a time, with arrays so small that threads would only
wait for each other; a machine's cores are for more workers.
"""

import os

# Those that OpenBLAS and MKL read when they are loaded.
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")
