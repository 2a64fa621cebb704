/**
 * The agent's way to cancel: SIGINT, 7.5 s later SIGTERM, 2.5 s later the end, and all of it only to
 * the Node process (Agent.Sdk/ProcessInvoker.cs in microsoft/azure-pipelines-agent).
 */

import { Cancelled } from './errors';

export interface Cancellation {
  /** Aborted by the first signal: end in an orderly way. */
  readonly requested: AbortSignal;
  /** Aborted by SIGTERM (Ctrl+Break on Windows): the agent kills 2.5 s after it. */
  readonly urgent: AbortSignal;
}

/** Listen for the agent's signals; from here on they no longer end this process by themselves. */
export function listenForCancel(): Cancellation {
  const requested = new AbortController();
  const urgent = new AbortController();
  process.on('SIGINT', () => {
    requested.abort(new Cancelled());
  });
  for (const name of ['SIGTERM', 'SIGBREAK'] as const) {
    process.on(name, () => {
      requested.abort(new Cancelled());
      urgent.abort(new Cancelled());
    });
  }
  return { requested: requested.signal, urgent: urgent.signal };
}
