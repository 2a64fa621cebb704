/** The one program the agent starts: prepares Python, runs the task in it and reports its result. */

import { input, variable } from './given';

import * as fs from 'node:fs';
import * as path from 'node:path';

import { debug } from './agentCommands';
import { type Cancellation, listenForCancel } from './cancel';
import { Channel, complete, type Conclusion } from './channel';
import {
  Cancelled,
  errorCode,
  LauncherError,
  reason,
  taskDied,
  toolDirectoryUnusable,
} from './errors';
import { prepareEnvironment } from './environment';
import { collect, type Exit, type Phase, runPython, type TaskSettings } from './handover';
import { childEnvironment } from './proxy';
import { say } from './log';
import { findPython } from './python';
import { replaced, type TaskDefinition } from './stepInputs';

/** Taken when the input `sdk` is none of these; Python then tells what is wrong with it. */
const DEFAULT_SDK = 'v2';
const SDKS = [DEFAULT_SDK, 'v1'];
const SETTINGS = 'launcher.json';
/** The agent starts this file after the job; all that it does is to load the launcher. */
const CLEAN_UP = 'cleanUp.js';

async function main(): Promise<void> {
  const isCleanUp = path.basename(process.argv[1] ?? '') === CLEAN_UP;
  if (isCleanUp && input('lifecycle') !== 'perRun') {
    complete({ result: 'Succeeded', message: 'There is nothing to clean up.' });
    return;
  }
  const settings = fs.existsSync(path.join(__dirname, SETTINGS))
    ? (readJson(__dirname, SETTINGS) as TaskSettings)
    : {};
  const channel = new Channel(settings.support);
  let conclusion: Conclusion;
  try {
    conclusion = await run(
      __dirname,
      settings,
      isCleanUp ? 'cleanUp' : 'run',
      channel,
      listenForCancel(),
    );
  } catch (error) {
    conclusion = failure(error);
  }
  if (conclusion.result === 'Failed' && !channel.hasShownError) {
    channel.showIssue(
      'error',
      /^([A-Z_]+): /.exec(conclusion.message)?.[1] ?? '',
      conclusion.message,
    );
  }
  complete(conclusion);
}

async function run(
  folder: string,
  settings: TaskSettings,
  phase: Phase,
  channel: Channel,
  cancel: Cancellation,
): Promise<Conclusion> {
  const task = readJson(folder, 'task.json') as TaskDefinition;
  const document = collect(task, settings, phase);
  const pythonPath = task.inputs.find(({ name }) => name === 'pythonPath');
  const env = childEnvironment();
  const toolDirectory = variable('Agent.ToolsDirectory');
  if (!toolDirectory) {
    throw toolDirectoryUnusable('the tool directory', 'the agent did not say where it is');
  }
  const python = await findPython(pythonPath ? replaced(pythonPath) : '', env, cancel.requested);
  say(`Using Python ${python.version} at ${python.executable}`);
  const requirements = path.join(folder, 'requirements');
  const sdk = SDKS.find((name) => name === document.inputs.sdk?.trim()) ?? DEFAULT_SDK;
  const { interpreter, endUse } = await prepareEnvironment(
    python,
    requirements,
    sdk,
    toolDirectory,
    env,
    cancel.requested,
  );
  const onMessage = (line: string) => {
    channel.handle(line);
  };
  const exit = await runPython(interpreter, folder, document, env, cancel, onMessage).finally(
    endUse,
  );
  return conclude(channel, exit, cancel.requested.aborted);
}

function readJson(folder: string, name: string): unknown {
  return JSON.parse(fs.readFileSync(path.join(folder, name), 'utf8'));
}

/** The one result, from what Python said and how it ended. */
function conclude(channel: Channel, exit: Exit, cancelled: boolean): Conclusion {
  const said = channel.conclusion;
  const how = exit.signal ? `was ended by ${exit.signal}` : `ended with code ${String(exit.code)}`;
  if (said?.result === 'Succeeded' && exit.code !== 0) {
    const message = `TASK_DIED: The task had succeeded, and then its Python ${how}.`;
    channel.showIssue('warning', 'TASK_DIED', message);
    return { result: 'SucceededWithIssues', message };
  }
  if (said) {
    return said;
  }
  if (cancelled) {
    return { result: 'Canceled', message: new Cancelled().message };
  }
  const memory = exit.signal === 'SIGKILL' ? ' (the system may have run out of memory)' : '';
  throw taskDied(`The task's Python ${how}${memory} and gave no result.`);
}

function failure(error: unknown): Conclusion {
  if (error instanceof Cancelled) {
    return { result: 'Canceled', message: error.message };
  }
  if (error instanceof LauncherError) {
    return { result: 'Failed', message: error.message };
  }
  debug(error instanceof Error ? (error.stack ?? '') : '');
  return { result: 'Failed', message: taskDied(`The launcher failed: ${reason(error)}.`).message };
}

process.on('uncaughtException', (error) => {
  // The agent has gone and reads no more: what is under way still ends in order.
  if (errorCode(error) !== 'EPIPE') {
    complete(failure(error));
    process.exit(1);
  }
});
void main();
