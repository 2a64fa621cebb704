/**
 * Programs on the PATH, in folders that have an absolute name only: an empty or relative entry means
 * the sources, and nothing of the checkout may run because it has the name of a tool.
 */

import * as fs from 'node:fs';

import { HERE, type System } from './system';

/** The PATH without its empty and relative entries. */
export function absoluteFolders(searchPath: string, system: System = HERE): string {
  const folders = searchPath.split(system.path.delimiter);
  return folders.filter((folder) => system.path.isAbsolute(folder)).join(system.path.delimiter);
}

/** Every program of that name on the PATH: the first may be a shim that leads nowhere. */
export function onPath(name: string, env: NodeJS.ProcessEnv, system: System = HERE): string[] {
  const folders = absoluteFolders(env['PATH'] ?? '', system).split(system.path.delimiter);
  const file = system.isWindows && !/\.exe$/i.test(name) ? `${name}.exe` : name;
  const found = folders.filter(Boolean).map((folder) => system.path.join(folder, file));
  return [...new Set(found)].filter((each) => isFile(each));
}

function isFile(file: string): boolean {
  return fs.existsSync(file) && fs.statSync(file).isFile();
}
