/** Running the tools that prepare the environment: probes, pip and uv. */

import { spawn } from 'node:child_process';
import { StringDecoder } from 'node:string_decoder';

import { Cancelled, reason } from './errors';

export interface CommandResult {
  /** Exit code; -1 when the program could not be started, was killed or took too long. */
  readonly code: number;
  readonly stdout: string;
  /** Both streams together, in the order of arrival. */
  readonly output: string;
}

export interface CommandOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly cwd?: string;
  readonly cancel: AbortSignal;
  readonly timeoutSeconds?: number;
  /** Called with every line of both streams as it comes. */
  readonly onLine?: (line: string) => void;
}

/**
 * Run a program to its end; a failure is in the result, not thrown.
 * @throws Cancelled when the build was cancelled; the program has ended by then.
 */
export async function runCommand(
  command: string,
  args: readonly string[],
  options: CommandOptions,
): Promise<CommandResult> {
  throwIfCancelled(options.cancel);
  const result = await new Promise<CommandResult>((resolve) => {
    const child = spawn(command, args, {
      env: options.env,
      cwd: options.cwd,
      stdio: ['ignore', 'pipe', 'pipe'],
      windowsHide: true,
    });
    let stdout = '';
    let output = '';
    const stop = () => child.kill();
    const limit =
      options.timeoutSeconds === undefined
        ? undefined
        : setTimeout(() => {
            output += `no answer within ${String(options.timeoutSeconds)} s\n`;
            child.kill('SIGKILL');
          }, options.timeoutSeconds * 1000);
    const finish = (code: number) => {
      clearTimeout(limit);
      options.cancel.removeEventListener('abort', stop);
      resolve({ code, stdout, output });
    };
    options.cancel.addEventListener('abort', stop);
    readLines(child.stdout, (text) => (stdout += text), report);
    readLines(child.stderr, () => undefined, report);
    child.on('error', (error) => {
      output += reason(error);
      finish(-1);
    });
    child.on('close', (code) => {
      finish(code ?? -1);
    });

    function report(line: string): void {
      output += line + '\n';
      options.onLine?.(line);
    }
  }).catch((error: unknown) => ({ code: -1, stdout: '', output: reason(error) }));
  throwIfCancelled(options.cancel);
  return result;
}

function throwIfCancelled(cancel: AbortSignal): void {
  if (cancel.aborted) {
    throw new Cancelled();
  }
}

/** Hand on a stream's text as it comes, and its lines as they end. */
function readLines(
  stream: NodeJS.ReadableStream,
  onText: (text: string) => void,
  onLine: (line: string) => void,
): void {
  const decoder = new StringDecoder('utf8');
  let pending = '';
  const take = (text: string) => {
    onText(text);
    const lines = (pending + text).split(/\r\n|\n|\r/);
    pending = lines.pop() ?? '';
    lines.forEach(onLine);
  };
  stream.on('data', (chunk: Buffer) => {
    take(decoder.write(chunk));
  });
  stream.on('end', () => {
    take(decoder.end());
    if (pending) {
      onLine(pending);
    }
  });
}
