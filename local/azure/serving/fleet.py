"""The processes that answer for services, and the threads that bring new revisions of them up."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from local.azure.kernel.background import Stop
from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import ServiceError
from local.azure.serving import deployments
from local.azure.serving.deployments import DeploymentFailure, Revision, Running

logger = logging.getLogger(__name__)

STOPPED = "The local Azure was stopped during the deployment. Start it and deploy again."


class Fleet:
    """One process at a time for each service, by the service's name."""

    def __init__(self) -> None:
        """No service runs."""
        self._lock = threading.Lock()
        self._restart_lock = threading.Lock()
        self._running: dict[str, Running] = {}
        self._under_way: dict[str, tuple[threading.Thread, Stop]] = {}

    def is_live(self, name: str) -> bool:
        """Whether a process was started for a service and has not been ended. It may have died."""
        with self._lock:
            return name in self._running

    def under_way(self, name: str) -> bool:
        """Whether a revision of a service is being brought up."""
        with self._lock:
            return name in self._under_way

    def begin(self, name: str, work: Callable[[Stop], None]) -> None:
        """Bring a revision up in a thread. Raises ServiceError 409 while another one is."""
        stop = Stop()

        def body() -> None:
            try:
                work(stop)
            except Exception:
                logger.exception("the deployment of service %s broke off", name)
            finally:
                self.settle(name)

        thread = threading.Thread(target=body, name=f"service {name}", daemon=True)
        with self._lock:
            if name in self._under_way:
                raise ServiceError(409, "Conflict", f"Service {name} is being deployed or updated.")
            self._under_way[name] = (thread, stop)
        thread.start()

    def settle(self, name: str) -> None:
        """Note that this thread has finished, unless another has begun for the service since."""
        with self._lock:
            if name in self._under_way and self._under_way[name][0] is threading.current_thread():
                del self._under_way[name]

    def switch(self, name: str, running: Running | None) -> Running | None:
        """Let another process answer from now on; return the one that answered before."""
        with self._lock:
            before = self._running.pop(name, None)
            if running is not None:
                self._running[name] = running
            return before

    def serve_again(self, cloud: Cloud, name: str, revision: Revision) -> None:
        """After a restart: bring up in a thread what was in service."""

        def work(stop: Stop) -> None:
            try:
                self.switch(name, deployments.start(cloud, revision, stop=stop))
            except DeploymentFailure as failure:
                logger.warning("service %s does not come up again: %s", name, failure)

        self.begin(name, work)

    def find(self, cloud: Cloud, name: str) -> Running | None:
        """The process of a service, started again if it has died; None if there is none."""
        with self._lock:
            running = self._running.get(name)
        if running is None or running.process.poll() is None:
            return running
        with self._restart_lock:
            with self._lock:
                current = self._running.get(name)
            if current is not running:
                return current
            logger.warning("service %s died with exit code %s", name, running.process.returncode)
            deployments.end(cloud, running)
            try:
                again = deployments.start(cloud, running.revision, stop=Stop())
            except DeploymentFailure as failure:
                logger.warning("service %s does not come up again: %s", name, failure)
                again = None
            self.switch(name, again)
            return again

    def remove(self, cloud: Cloud, name: str) -> None:
        """End what a service runs and what is being brought up for it."""
        with self._lock:
            busy = self._under_way.get(name)
        if busy:
            busy[1].ask("The service was deleted.")
            busy[0].join(timeout=30)
        running = self.switch(name, None)
        if running is not None:
            deployments.end(cloud, running)

    def stop_all(self, cloud: Cloud) -> None:
        """End every process and everything being brought up."""
        with self._lock:
            busy = list(self._under_way.values())
        for _, stop in busy:
            stop.ask(STOPPED)
        for thread, _ in busy:
            thread.join(timeout=20)
        with self._lock:
            everything = list(self._running.values())
            self._running.clear()
        for running in everything:
            deployments.end(cloud, running)
