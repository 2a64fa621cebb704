"""Which logs of a run clients are led to."""

from local.azure.history import artifacts
from local.azure.kernel.cloud import Cloud
from local.azure.running import job


def test_a_log_without_a_byte_is_not_there_yet(fresh_azure: Cloud) -> None:
    append = job.append_log(fresh_azure, "run", job.BUILD_LOG)
    artifacts.register(fresh_azure, "run", job.DRIVER_LOG)
    assert artifacts.log_urls(fresh_azure, "run") == {}
    append("built")
    assert list(artifacts.log_urls(fresh_azure, "run")) == [job.BUILD_LOG]
