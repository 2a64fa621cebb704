/**
 * The Python environment of the tasks, made once for each SDK's lock and interpreter under the agent's
 * tool directory. It is built in a folder beside its place and renamed into it when complete, so a
 * task sees either all of it or nothing.
 */

import * as crypto from 'node:crypto';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';

import { runCommand } from './command';
import { errorCode, installFailed, LauncherError, reason, toolDirectoryUnusable } from './errors';
import {
  exists,
  makeFolders,
  nameBeside,
  removeLeftover,
  removeWhole,
  renameFolder,
} from './folders';
import { explain } from './installError';
import { withLock } from './lock';
import { say, sayRepeatedly } from './log';
import { installerEnvironment, uvIndexSettings } from './packageIndex';
import { beginUse, MARKER, prune } from './prune';
import { ISOLATED, type Python } from './python';
import { HERE, type System } from './system';
import { findUv } from './uv';

const OURS = 'azure-machine-learning-tasks';
const DISK_FULL = ['ENOSPC', 'EDQUOT'];

export interface Prepared {
  /** The interpreter of the complete environment. */
  readonly interpreter: string;
  /** To be called when the task has ended: from then on the environment may be removed. */
  readonly endUse: () => Promise<void>;
}

interface Place {
  /** Our folder in the tool directory. */
  readonly tools: string;
  /** The environment's own folder. */
  readonly folder: string;
}

/**
 * The complete environment, made if need be; it is in use until the result says otherwise.
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
): Promise<Prepared> {
  const lock = path.join(requirements, `${sdk}.txt`);
  const tools = ourFolder(toolDirectory);
  const place = { tools, folder: path.join(tools, digest(sdk, await fs.readFile(lock), python)) };
  const endUse = await beginUse(place.folder);
  try {
    // Whoever holds the lock may be removing it.
    if ((await exists(`${place.folder}.lock`)) || !(await isComplete(place.folder, env, cancel))) {
      await makeAlone(python, lock, path.join(requirements, 'uv.txt'), place, env, cancel);
    }
  } catch (error) {
    endUse();
    throw translated(error, tools);
  }
  // While the task runs.
  const pruned = prune(tools, cancel);
  return {
    interpreter: interpreterIn(place.folder),
    endUse: async () => {
      endUse();
      // What it says must come before the result; a cancel does not wait for it.
      if (!cancel.aborted) {
        await pruned;
      }
    },
  };
}

/** Where all environments are kept; a pipeline that caches them names it. */
export function ourFolder(toolDirectory: string, system: System = HERE): string {
  return system.path.join(toolDirectory, OURS);
}

/** Make the environment, unless another task does it meanwhile. */
async function makeAlone(
  python: Python,
  lock: string,
  uvRequirements: string,
  place: Place,
  env: NodeJS.ProcessEnv,
  cancel: AbortSignal,
): Promise<void> {
  let stopSaying: (() => void) | undefined;
  const onWait = () => {
    stopSaying ??= sayRepeatedly('Waiting for another task that prepares the environment');
  };
  await makeFolders(place.tools, cancel);
  try {
    await withLock(`${place.folder}.lock`, cancel, onWait, async () => {
      stopSaying?.();
      if (!(await isComplete(place.folder, env, cancel))) {
        await removeLeftovers(place);
        await build(python, lock, uvRequirements, place, env, cancel);
      }
    });
  } finally {
    stopSaying?.();
  }
  if (!(await isComplete(place.folder, env, cancel))) {
    throw installFailed(
      `The Python environment in ${place.folder} does not start.`,
      'delete that folder and run again; when it happens again, choose another Python with pythonPath.',
    );
  }
}

/** Sixteen hex digits that change with anything the environment depends on. */
function digest(sdk: string, lock: Buffer, python: Python): string {
  const text = lock.toString('utf8').replace(/\r\n/g, '\n');
  const all = JSON.stringify([sdk, text, python.version, python.build]);
  return crypto.createHash('sha256').update(all).digest('hex').slice(0, 16);
}

/** Where a virtual environment has its Python. */
export function interpreterIn(folder: string, system: System = HERE): string {
  return system.isWindows
    ? system.path.join(folder, 'Scripts', 'python.exe')
    : system.path.join(folder, 'bin', 'python');
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
      await removeWhole(place.folder);
    } else if (entry.startsWith(`${name}.new-`) || entry.startsWith(`${name}.old-`)) {
      await removeLeftover(path.join(place.tools, entry));
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
  const temporary = nameBeside(place.folder, 'new');
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
    // Another task may have been quicker after all: its environment is as good.
    await renameFolder(temporary, place.folder);
  } finally {
    stopSaying();
    await removeLeftover(temporary);
  }
  say(`The Python environment is ready after ${String(Math.round((Date.now() - start) / 1000))} s`);
}

/** A file system error as what it means for the user. */
function translated(error: unknown, tools: string): unknown {
  if (error instanceof LauncherError || !errorCode(error)) {
    return error;
  }
  return DISK_FULL.includes(errorCode(error))
    ? explain(reason(error), tools)
    : toolDirectoryUnusable(tools, reason(error));
}
