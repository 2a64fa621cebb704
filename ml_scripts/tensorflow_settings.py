"""What TensorFlow reads when it is imported: import this before TensorFlow and Keras."""

import os

# Its own log lines are about GPUs that are not there and attributes that it ignores; its errors
# still are exceptions.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# oneDNN picks the order of additions by the machine: without it, two machines agree better.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
