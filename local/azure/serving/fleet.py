"""The processes that answer for services, and the threads that bring new revisions of them up."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Iterator

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
        self._retiring: list[tuple[threading.Thread, Running]] = []

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

    @contextlib.contextmanager
    def lent(self, cloud: Cloud, name: str) -> Iterator[Running | None]:
        """The process of a service, for one call; it is not ended before the call is over.

        It is started again if it has died. None: there is none.
        """
        running = self._taken(name)
        if running is not None and running.process.poll() is not None:
            running.calls.end()
            self._start_again(cloud, name, running)
            running = self._taken(name)
        try:
            yield running
        finally:
            if running is not None:
                running.calls.end()

    def _taken(self, name: str) -> Running | None:
        with self._lock:
            running = self._running.get(name)
            if running is not None:
                running.calls.begin()
            return running

    def _start_again(self, cloud: Cloud, name: str, dead: Running) -> None:
        with self._restart_lock:
            with self._lock:
                if self._running.get(name) is not dead:
                    return
            logger.warning("service %s died with exit code %s", name, dead.process.returncode)
            deployments.end(cloud, dead)
            again = None
            try:
                again = deployments.start(cloud, dead.revision, stop=Stop())
            except DeploymentFailure as failure:
                logger.warning("service %s does not come up again: %s", name, failure)
            with self._lock:
                if self._running.get(name) is dead:  # neither deleted nor replaced meanwhile
                    del self._running[name]
                    if again is not None:
                        self._running[name] = again
                    return
            if again is not None:
                deployments.end(cloud, again)

    def retire(self, cloud: Cloud, running: Running | None, then: Callable[[], None]) -> None:
        """End a process that gets no more calls once it has answered those it has; then go on.

        That is in a thread. Where there is no process, `then` is called at once.
        """
        if running is None:
            then()
            return

        def body() -> None:
            try:
                deployments.end(cloud, running, drain=True)
                then()
            finally:
                with self._lock:
                    self._retiring.remove(entry)

        thread = threading.Thread(target=body, name=f"retire {running.revision.id}", daemon=True)
        entry = (thread, running)
        with self._lock:
            self._retiring.append(entry)
        thread.start()

    def cancel(self, name: str) -> None:
        """Break off what is being brought up for a service, which is about to be deleted."""
        with self._lock:
            busy = self._under_way.get(name)
        if busy:
            busy[1].ask("The service was deleted.")
            busy[0].join(timeout=30)

    def stop_all(self, cloud: Cloud) -> None:
        """End every process and everything being brought up."""
        with self._lock:
            busy = list(self._under_way.values())
        for _, stop in busy:
            stop.ask(STOPPED)
        for thread, _ in busy:
            thread.join(timeout=20)
        with self._lock:
            everything, retiring = list(self._running.values()), list(self._retiring)
            self._running.clear()
        for _, running in retiring:
            running.calls.abandon()
        for running in everything:
            deployments.end(cloud, running)
        for thread, _ in retiring:
            thread.join(timeout=20)
