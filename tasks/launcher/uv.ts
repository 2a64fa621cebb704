/** The installer uv: the agent's own when it is new enough, else one installed with pip, once. */

import * as fs from 'node:fs';
import * as path from 'node:path';

import { debug } from './agentCommands';
import { runCommand } from './command';
import { uvUnavailable } from './errors';
import { makeFolders, nameBeside, removeLeftover, renameFolder } from './folders';
import { explainPip } from './installError';
import { say } from './log';
import { ISOLATED, type Python } from './python';
import { onPath } from './searchPath';

/** The oldest uv that the launcher's commands were tried with. */
const OLDEST = 'uv 0.8.0';
const numeric = new Intl.Collator('en', { numeric: true });

/**
 * Path of a usable uv.
 * @param requirements requirements/uv.txt: one version with hashes.
 * @param tools our folder in the agent's tool directory.
 * @throws LauncherError UV_UNAVAILABLE, or a file system error when `tools` is not writable.
 */
export async function findUv(
  python: Python,
  requirements: string,
  tools: string,
  env: NodeJS.ProcessEnv,
  cancel: AbortSignal,
): Promise<string> {
  const agents = onPath('uv', env)[0];
  if (agents && (await isUsable(agents, env, cancel))) {
    return agents;
  }
  const version = /^uv==([0-9.]+)/m.exec(fs.readFileSync(requirements, 'utf8'))?.[1] ?? 'unknown';
  const folder = path.join(tools, 'uv', version);
  const installed = executableIn(folder);
  if (installed && (await isUsable(installed, env, cancel))) {
    return installed;
  }
  say(`Installing uv ${version} into ${folder}`);
  return await install(python, requirements, folder, env, cancel);
}

async function isUsable(uv: string, env: NodeJS.ProcessEnv, cancel: AbortSignal): Promise<boolean> {
  const result = await runCommand(uv, ['--version'], { env, cancel, timeoutSeconds: 30 });
  const version = /^uv \d+\.\d+\.\d+/.exec(result.stdout)?.[0];
  const usable = version !== undefined && numeric.compare(version, OLDEST) >= 0;
  debug(`${uv}: ${result.output.trim()}: ${usable ? 'usable' : 'not usable'}`);
  return usable;
}

async function install(
  python: Python,
  requirements: string,
  folder: string,
  env: NodeJS.ProcessEnv,
  cancel: AbortSignal,
): Promise<string> {
  const temporary = nameBeside(folder, 'new');
  try {
    await makeFolders(path.dirname(folder), cancel);
    const args = [...ISOLATED, '-m', 'pip', 'install', '--disable-pip-version-check', '--no-deps'];
    args.push('--require-hashes', '--target', temporary, '-r', requirements);
    const result = await runCommand(python.executable, args, { env, cancel });
    if (result.code !== 0) {
      throw explainPip(result.output, path.dirname(folder));
    }
    if (!executableIn(folder)) {
      // What is there is half of an installation, or nothing.
      await removeLeftover(folder);
      await renameFolder(temporary, folder);
    }
  } finally {
    await removeLeftover(temporary);
  }
  const uv = executableIn(folder);
  if (!uv || !(await isUsable(uv, env, cancel))) {
    throw uvUnavailable(`the uv that pip put into ${folder} does not start`);
  }
  return uv;
}

/** Where pip puts the program under --target differs between its versions on Windows. */
function executableIn(folder: string): string | undefined {
  const names = ['bin/uv', 'bin/uv.exe', 'Scripts/uv.exe'];
  return names.map((name) => path.join(folder, name)).find((file) => fs.existsSync(file));
}
