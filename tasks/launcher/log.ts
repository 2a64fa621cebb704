/** Lines of the launcher's own in the task's log. */

import * as tl from 'azure-pipelines-task-lib/task';

import { neutralise } from './neutralise';
import { redaction } from './redaction';

/** Print a line; it may quote foreign text. */
export function say(line: string): void {
  process.stdout.write(neutralise(redaction.text(line)) + '\n');
}

/** Write a line of the debug log, which the agent shows while system.debug is set. */
export function debug(line: string): void {
  tl.debug(redaction.text(line));
}

/** Print `text` with the seconds gone by every few seconds until the returned function is called. */
export function sayRepeatedly(text: string, everySeconds = 5): () => void {
  const start = Date.now();
  const timer = setInterval(() => {
    say(`${text} (${String(Math.round((Date.now() - start) / 1000))} s)`);
  }, everySeconds * 1000);
  return () => {
    clearInterval(timer);
  };
}
