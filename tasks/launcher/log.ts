/** Lines of the launcher's own in the task's log. */

import { neutralise } from './neutralise';
import { redaction } from './redaction';

/** Print a line; it may quote foreign text. */
export function say(line: string): void {
  process.stdout.write(neutralise(redaction.text(line)) + '\n');
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
