/** Foreign text must not speak to the agent: `##vso[` in it is written `##_vso[`. */

import { Transform, type TransformCallback } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';

import { redaction } from './redaction';

/** A line longer than this is broken, so that endless output without line ends stays bounded. */
const LONGEST_LINE = 65_536;

/** The agent takes `##vso[` anywhere in a line; other cases are changed too, to be safe. */
export function neutralise(text: string): string {
  return text.replace(/##(?=vso\[)/gi, '##_');
}

/**
 * Passes whole lines on, neutralised and without secrets. Whole ones, because a marker or a secret may
 * be cut by a chunk's end, and because the launcher's own commands must not land behind half a line.
 */
export class NeutralisedLines extends Transform {
  private readonly decoder = new StringDecoder('utf8');
  private pending = '';

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.pending += this.decoder.write(chunk);
    // The agent ends a line at a carriage return as well, as progress bars do.
    const end = Math.max(this.pending.lastIndexOf('\n'), this.pending.lastIndexOf('\r')) + 1;
    if (end > 0) {
      this.push(shown(this.pending.slice(0, end)));
      this.pending = this.pending.slice(end);
    }
    if (this.pending.length > LONGEST_LINE) {
      this.push(shown(this.pending) + '\n');
      this.pending = '';
    }
    done();
  }

  override _flush(done: TransformCallback): void {
    this.pending += this.decoder.end();
    if (this.pending) {
      this.push(shown(this.pending) + '\n');
    }
    done();
  }
}

function shown(lines: string): string {
  return neutralise(redaction.text(lines));
}
