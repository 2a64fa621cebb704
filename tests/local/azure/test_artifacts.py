"""Which logs of a run clients are led to."""

from local.azure import artifacts, job
from local.azure.azure import Azure


def test_a_log_without_a_byte_is_not_there_yet(fresh_azure: Azure) -> None:
    append = job.append_log(fresh_azure, "run", job.BUILD_LOG)
    artifacts.register(fresh_azure, "run", job.DRIVER_LOG)
    assert artifacts.log_urls(fresh_azure, "run") == {}
    append("built")
    assert list(artifacts.log_urls(fresh_azure, "run")) == [job.BUILD_LOG]
