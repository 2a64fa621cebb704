/**
 * Taking secrets out of text before it is shown. The agent masks a secret only where it stands whole
 * and unchanged; a message that was cut, joined to a path, escaped or put into another case would
 * show a part of it. So case, blanks, slashes and quotes do not count, and every run of characters
 * that a secret has, too, is taken out.
 */

import * as fs from 'node:fs';

import { knownSecrets } from './given';

/** Characters in a row that tell a part of a secret from chance. */
const LEAST = 12;
/** Fewer different characters are a line of dashes, not a part of a secret. */
const LEAST_DIFFERENT = 4;
/** A secret shorter than this is a word or a number that stands everywhere. */
const SHORTEST = 4;
const STARS = '***';

export class Redaction {
  private readonly runs = new Set<string>();
  private readonly short: string[] = [];

  constructor(secrets: Iterable<string>) {
    for (const secret of secrets) {
      this.add(secret);
    }
  }

  /** Know one more secret. */
  add(secret: string): void {
    if (compared(secret).text.length < LEAST) {
      if (secret.trim().length >= SHORTEST) {
        this.short.push(secret.trim());
      }
      return;
    }
    const bare = withoutArmour(secret);
    const encoded = Buffer.from(secret).toString('base64');
    for (const form of [bare, encodeURIComponent(bare), encoded]) {
      const { text } = compared(form);
      for (let start = 0; start + LEAST <= text.length; start += 1) {
        const run = text.slice(start, start + LEAST);
        if (new Set(run).size >= LEAST_DIFFERENT) {
          this.runs.add(run);
        }
      }
    }
  }

  /** The text with stars in place of every secret, and of every part of one. */
  text(text: string): string {
    const whole = this.short.reduce((shown, secret) => shown.split(secret).join(STARS), text);
    if (this.runs.size === 0) {
      return whole;
    }
    const { text: chars, at } = compared(whole);
    let shown = '';
    let told = 0;
    for (let start = 0; start + LEAST <= chars.length; start += 1) {
      if (this.runs.has(chars.slice(start, start + LEAST))) {
        let end = start + LEAST;
        while (end < chars.length && this.runs.has(chars.slice(end + 1 - LEAST, end + 1))) {
          end += 1;
        }
        shown += whole.slice(told, at[start]) + STARS;
        told = (at[end - 1] ?? 0) + 1;
        start = end - 1;
      }
    }
    return shown + whole.slice(told);
  }

  /** Take secrets out of a file that is to be published; one that is no text stays as it is. */
  file(path: string): void {
    if (!fs.existsSync(path)) {
      return; // the agent says so
    }
    const found = fs.readFileSync(path);
    const text = found.toString('utf8');
    const shown = Buffer.from(text).equals(found) ? this.text(text) : text;
    if (shown !== text) {
      fs.writeFileSync(path, shown);
    }
  }
}

/** A certificate's first and last line are everybody's. */
function withoutArmour(secret: string): string {
  return secret.replace(/-----[A-Z ]+-----/g, '');
}

/** What of a text is compared, and where in the text each character of it stands. */
function compared(original: string): { text: string; at: number[] } {
  const at: number[] = [];
  let text = '';
  for (let index = 0; index < original.length; index += 1) {
    const unit = original.charAt(index);
    if (!/[\s/\\'"]/.test(unit)) {
      const lower = unit.toLowerCase();
      text += lower.length === 1 ? lower : unit;
      at.push(index);
    }
  }
  return { text, at };
}

/** Of all that the agent has told this process. */
export const redaction = new Redaction(knownSecrets());
