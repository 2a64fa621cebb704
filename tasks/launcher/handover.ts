/** Starting the task's Python, handing it what the agent gave to us, and staying with it to its end. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import * as path from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';

import type { Cancellation } from './cancel';
import { connectionUnsupported, quoted, reason, taskDied } from './errors';
import { endpoint, publicVariables, variable } from './given';
import { NeutralisedLines } from './neutralise';
import { ISOLATED } from './python';
import { checkNames, given, replaced, type TaskDefinition } from './stepInputs';

/** The agent kills the launcher 2.5 s after SIGTERM; Python must be gone before. */
const KILL_AFTER_SIGTERM_MS = 1_800;
/** A grandchild may hold the pipes open after Python has ended. */
const DRAIN_MS = 2_000;
const FEDERATION = 'workloadidentityfederation';
const SCHEMES = ['serviceprincipal', 'managedserviceidentity', FEDERATION];
const LAUNCHER_INPUTS = ['pythonPath'];
const SYSTEM_CONNECTION = 'SYSTEMVSSCONNECTION';

/**
 * Like `-m amltasks`. Under `-I` Python never looks for a module in the sources, where a types.py or a
 * yaml.py would take the place of the real one; it ignores PYTHONPATH too, so the task's own folder is
 * an argument. `sys` is built in: no file can stand for it.
 */
const START =
  'import sys; sys.path.insert(0, sys.argv.pop(1)); import runpy; ' +
  'runpy.run_module("amltasks", run_name="__main__", alter_sys=True)';

export type Phase = 'run' | 'cleanUp';

interface Connection {
  readonly id: string;
  readonly url: string;
  readonly scheme: string;
  readonly parameters: Record<string, string>;
  readonly data: Record<string, string>;
}

export interface Handover {
  readonly task: string;
  /** Only in the task's postjobexecution, which cleans up after the job. */
  readonly phase?: 'cleanUp';
  readonly inputs: Record<string, string>;
  readonly connection: Connection;
  readonly variables: Record<string, string>;
  /** The job's access token, empty for a task that has no use for it. */
  readonly accessToken: string;
}

/** What a task's folder says of it to the launcher: `launcher.json`, beside `task.json`. */
export interface TaskSettings {
  /** Whether the task itself speaks to Azure DevOps, for which it needs the job's access token. */
  readonly jobToken?: boolean;
  /** Address of the page of all codes, each an anchor in lower case; only where there is one. */
  readonly support?: string;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/**
 * All that the task may know, from what the agent gave.
 * @throws LauncherError INPUT_UNKNOWN, INPUT_VARIABLE_UNSET or CONNECTION_UNSUPPORTED.
 */
export function collect(task: TaskDefinition, settings: TaskSettings, phase: Phase): Handover {
  checkNames(task);
  const isConnection = (type: string) => type.startsWith('connectedService:');
  const inputs: Record<string, string> = {};
  for (const declared of task.inputs) {
    if (!isConnection(declared.type) && !LAUNCHER_INPUTS.includes(declared.name)) {
      inputs[declared.name] = given(declared);
    }
  }
  const named = task.inputs.find(({ type }) => isConnection(type));
  const connection = readConnection(named ? replaced(named) : '');
  const variables: Record<string, string> = {};
  for (const name of publicVariables) {
    if (/^(build|release|system|agent)\./i.test(name)) {
      variables[name.toLowerCase()] = variable(name) ?? '';
    }
  }
  return {
    task: task.name,
    ...(phase === 'cleanUp' ? { phase } : {}),
    inputs,
    connection,
    variables,
    accessToken: settings.jobToken || isFederated(connection) ? readAccessToken() : '',
  };
}

function readConnection(id: string): Connection {
  if (!id) {
    throw connectionUnsupported('No service connection was given.');
  }
  const authorization = readAuthorization(id);
  if (!authorization) {
    throw connectionUnsupported(
      `The agent gave no credentials for the service connection ${quoted(id)}.`,
    );
  }
  if (!SCHEMES.includes(authorization.scheme.toLowerCase())) {
    throw connectionUnsupported(
      `A service connection with the authentication scheme ${quoted(authorization.scheme)} cannot be used.`,
    );
  }
  return {
    id,
    url: endpoint('URL', id),
    scheme: authorization.scheme,
    parameters: lowerCaseNames(authorization.parameters),
    data: lowerCaseNames(parsed(id, 'DATA') as Record<string, string>),
  };
}

/** Such a connection has no secret: with the job's token its user asks for a proof of who it is. */
function isFederated({ scheme }: Connection): boolean {
  return scheme.toLowerCase() === FEDERATION;
}

/** Every task is given it by the agent, whatever the pipeline says; a release gate's job has none. */
function readAccessToken(): string {
  return readAuthorization(SYSTEM_CONNECTION)?.parameters['AccessToken'] ?? '';
}

interface Authorization {
  readonly scheme: string;
  readonly parameters: Record<string, string>;
}

function readAuthorization(id: string): Authorization | undefined {
  return endpoint('AUTH', id) ? (parsed(id, 'AUTH') as Authorization) : undefined;
}

function parsed(id: string, part: 'AUTH' | 'DATA'): unknown {
  try {
    return JSON.parse(endpoint(part, id) || '{}');
  } catch {
    throw connectionUnsupported(
      `The agent gave data for the service connection ${quoted(id)} that is not JSON.`,
    );
  }
}

function lowerCaseNames(values: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name.toLowerCase(), value]),
  );
}

/**
 * Run the task's Python. Its output goes to ours, neutralised; its messages to `onMessage`.
 * @param folder the task's folder, which holds python/amltasks.
 * @throws LauncherError TASK_DIED when it cannot be started.
 */
export async function runPython(
  python: string,
  folder: string,
  document: Handover,
  env: NodeJS.ProcessEnv,
  cancel: Cancellation,
  onMessage: (line: string) => void,
): Promise<Exit> {
  const args = [...ISOLATED, '-u', '-X', 'utf8', '-c', START, path.join(folder, 'python')];
  const child = spawn(python, [...args, document.task], {
    env,
    stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
    windowsHide: true,
  });
  const input = child.stdin;
  const messages = child.stdio[3] as Readable;
  // Python may end without reading to the end; its exit code says what there is to say.
  input.on('error', () => undefined);
  messages.on('error', () => undefined);
  input.write(JSON.stringify(document) + '\n');

  let killer: NodeJS.Timeout | undefined;
  const relay = () => {
    input.write('cancel\n');
  };
  const terminate = () => {
    child.kill('SIGTERM');
    killer = setTimeout(() => child.kill('SIGKILL'), KILL_AFTER_SIGTERM_MS);
  };
  whenAborted(cancel.requested, relay);
  whenAborted(cancel.urgent, terminate);

  const outputs = [passOn(child.stdout, process.stdout), passOn(child.stderr, process.stderr)];
  const lines = createInterface({ input: messages, crlfDelay: Infinity });
  lines.on('line', onMessage);
  const drained = Promise.all([
    ...outputs.map((output) => finished(output, { writable: false })),
    once(lines, 'close'),
  ]);
  try {
    const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
    await Promise.race([drained, sleep(DRAIN_MS, undefined, { ref: false })]);
    outputs.forEach((output) => output.end());
    await Promise.all(outputs.map((output) => finished(output, { writable: false })));
    return { code, signal };
  } catch (error) {
    throw taskDied(`The task's Python could not be started: ${reason(error)}.`);
  } finally {
    clearTimeout(killer);
    cancel.requested.removeEventListener('abort', relay);
    cancel.urgent.removeEventListener('abort', terminate);
    lines.close();
    [input, child.stdout, child.stderr, messages].forEach((stream) => stream.destroy());
  }
}

function passOn(from: Readable, to: Writable): NeutralisedLines {
  const lines = new NeutralisedLines();
  from.pipe(lines).pipe(to, { end: false });
  return lines;
}

function whenAborted(signal: AbortSignal, listener: () => void): void {
  if (signal.aborted) {
    listener();
  } else {
    signal.addEventListener('abort', listener, { once: true });
  }
}
