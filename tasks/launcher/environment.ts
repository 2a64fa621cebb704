/**
 * The Python environment of the tasks, made once for each SDK's lock and interpreter under the agent's
 * tool directory. It is built in a folder beside its place and renamed into it when complete, so a
 * task sees either all of it or nothing.
 */

import * as crypto from 'node:crypto';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { runCommand } from './command';
import { errorCode, installFailed, LauncherError, reason, toolDirectoryUnusable } from './errors';
import { explain } from './installError';
import { withLock } from './lock';
import { say, sayRepeatedly } from './log';
import { installerEnvironment, uvIndexSettings } from './packageIndex';
import { ISOLATED, type Python } from './python';
import { findUv } from './uv';

const OURS = 'azure-machine-learning-tasks';
const MARKER = '.complete';
const WINDOWS = process.platform === 'win32';
/** A virus scanner may hold files of a new folder open for a moment. */
const RENAME_TRIES = WINDOWS ? 20 : 1;

interface Place {
  /** Our folder in the tool directory. */
  readonly tools: string;
  /** The environment's own folder. */
  readonly folder: string;
}

/**
 * The interpreter of the complete environment, made if need be.
 * @param requirements folder with the locks of the SDKs and uv.txt.
 * @param sdk which lock: v1 or v2.
 * @throws LauncherError ENVIRONMENT_INSTALL_FAILED or UV_UNAVAILABLE; Cancelled.
 */
export async function prepareEnvironment(
  python: Python,
  requirements: string,
  sdk: string,
  toolDirectory: string,
  env: NodeJS.ProcessEnv,
  cancel: AbortSignal,
): Promise<string> {
  const lock = path.join(requirements, `${sdk}.txt`);
  const tools = path.join(toolDirectory, OURS);
  const place = { tools, folder: path.join(tools, digest(sdk, await fs.readFile(lock), python)) };
  const interpreter = interpreterIn(place.folder);
  if (await isComplete(place.folder, env, cancel)) {
    return interpreter;
  }
  let stopSaying: (() => void) | undefined;
  const onWait = () => {
    stopSaying ??= sayRepeatedly('Waiting for another task that prepares the environment');
  };
  try {
    await fs.mkdir(tools, { recursive: true });
    await withLock(`${place.folder}.lock`, cancel, onWait, async () => {
      stopSaying?.();
      if (!(await isComplete(place.folder, env, cancel))) {
        await removeLeftovers(place);
        await build(python, lock, path.join(requirements, 'uv.txt'), place, env, cancel);
      }
    });
  } catch (error) {
    throw translated(error, tools);
  } finally {
    stopSaying?.();
  }
  if (!(await isComplete(place.folder, env, cancel))) {
    throw installFailed(
      `The Python environment in ${place.folder} does not start.`,
      'delete that folder and run again; when it happens again, choose another Python with pythonPath.',
    );
  }
  return interpreter;
}

/** Sixteen hex digits that change with anything the environment depends on. */
function digest(sdk: string, lock: Buffer, python: Python): string {
  const text = lock.toString('utf8').replace(/\r\n/g, '\n');
  const all = JSON.stringify([sdk, text, python.version, python.build]);
  return crypto.createHash('sha256').update(all).digest('hex').slice(0, 16);
}

function interpreterIn(folder: string): string {
  return WINDOWS ? path.join(folder, 'Scripts', 'python.exe') : path.join(folder, 'bin', 'python');
}

/** Whether the environment was finished and its Python still starts. */
async function isComplete(
  folder: string,
  env: NodeJS.ProcessEnv,
  cancel: AbortSignal,
): Promise<boolean> {
  try {
    await fs.access(path.join(folder, MARKER));
  } catch {
    return false;
  }
  const args = [...ISOLATED, '-c', ''];
  const result = await runCommand(interpreterIn(folder), args, { env, cancel, timeoutSeconds: 60 });
  return result.code === 0;
}

/** Remove what builds that were killed left, and an environment that is half there. */
async function removeLeftovers(place: Place): Promise<void> {
  const name = path.basename(place.folder);
  for (const entry of await fs.readdir(place.tools)) {
    if (entry === name) {
      say(`Repairing the Python environment ${place.folder}`);
    }
    if (entry === name || entry.startsWith(`${name}.new-`)) {
      await fs.rm(path.join(place.tools, entry), { recursive: true, force: true });
    }
  }
}

async function build(
  python: Python,
  lock: string,
  uvRequirements: string,
  place: Place,
  env: NodeJS.ProcessEnv,
  cancel: AbortSignal,
): Promise<void> {
  const start = Date.now();
  say(`Preparing the Python environment ${place.folder} (once for each agent and version)`);
  const stopSaying = sayRepeatedly('Still preparing the Python environment');
  const temporary = `${place.folder}.new-${crypto.randomBytes(3).toString('hex')}`;
  try {
    const base = installerEnvironment(env);
    const uv = await findUv(python, uvRequirements, place.tools, base, cancel);
    const index = await uvIndexSettings(python.executable, base, cancel);
    const options = {
      env: { ...base, ...index },
      // Not the sources: uv would take settings from a pyproject.toml or uv.toml there.
      cwd: place.tools,
      cancel,
      onLine: (line: string) => {
        // Not the list of every package: the lock has it.
        if (!/^ [+~-] /.test(line)) {
          say(line);
        }
      },
    };
    // Relocatable, because it is renamed afterwards.
    const create = ['venv', '--no-project', '--relocatable', '--python', python.executable];
    const install = ['pip', 'install', '--python', interpreterIn(temporary), '--no-deps'];
    install.push('--require-hashes', '--requirements', lock);
    for (const args of [[...create, temporary], install]) {
      const result = await runCommand(uv, args, options);
      if (result.code !== 0) {
        throw explain(result.output, place.tools);
      }
    }
    await fs.writeFile(path.join(temporary, MARKER), '');
    await rename(temporary, place.folder);
  } finally {
    stopSaying();
    await fs.rm(temporary, { recursive: true, force: true }).catch(() => undefined);
  }
  say(`The Python environment is ready after ${String(Math.round((Date.now() - start) / 1000))} s`);
}

async function rename(from: string, to: string): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      await fs.rename(from, to);
      return;
    } catch (error) {
      // Another task may have been quicker after all: its environment is as good.
      if (['ENOTEMPTY', 'EEXIST'].includes(errorCode(error))) {
        return;
      }
      if (tries >= RENAME_TRIES) {
        throw error;
      }
      await sleep(250);
    }
  }
}

/** A file system error as what it means for the user. */
function translated(error: unknown, tools: string): unknown {
  if (error instanceof LauncherError || !errorCode(error)) {
    return error;
  }
  return ['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'ENOENT', 'EEXIST'].includes(errorCode(error))
    ? toolDirectoryUnusable(tools, reason(error))
    : explain(reason(error), tools);
}
