def init():
    raise RuntimeError("the vocabulary is not beside the model")


def run(body):
    return body
