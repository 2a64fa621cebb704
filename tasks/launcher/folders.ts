/** Making, renaming and removing folders. */

import * as crypto from 'node:crypto';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { Cancelled, errorCode } from './errors';
import { HERE, type System } from './system';

/** A virus scanner on Windows may hold files of a new folder open for a moment. */
const WINDOWS_TRIES = 20;
const RETRY_MS = 250;
const HELD_OPEN = ['EPERM', 'EACCES', 'EBUSY'];

/**
 * Make a folder and its parents; one that is there is left as it is. Node's own recursive mkdir tries
 * for ever where a parent exists and takes no folders, as /proc does.
 * @throws Cancelled, or the file system's error.
 */
export async function makeFolders(folder: string, cancel: AbortSignal): Promise<void> {
  const missing: string[] = [];
  let at = path.resolve(folder);
  while (!(await isFolder(at))) {
    missing.unshift(at);
    at = path.dirname(at);
  }
  for (const each of missing) {
    if (cancel.aborted) {
      throw new Cancelled();
    }
    try {
      await fs.mkdir(each);
    } catch (error) {
      // Another task may have made it meanwhile.
      if (errorCode(error) !== 'EEXIST' || !(await isFolder(each))) {
        throw error;
      }
    }
  }
}

async function isFolder(name: string): Promise<boolean> {
  try {
    if ((await fs.stat(name)).isDirectory()) {
      return true;
    }
  } catch (error) {
    if (errorCode(error) === 'ENOENT' && path.dirname(name) !== name) {
      return false;
    }
    throw error;
  }
  throw Object.assign(new Error(`${name} is a file, not a folder`), { code: 'ENOTDIR' });
}

/**
 * Rename a folder; on Windows try again while something holds a file of it open.
 * @returns whether it was renamed: false when the new name was taken already.
 */
export async function renameFolder(
  from: string,
  to: string,
  system: System = HERE,
  rename: (from: string, to: string) => Promise<void> = fs.rename,
): Promise<boolean> {
  for (let tries = 1; ; tries += 1) {
    try {
      await rename(from, to);
      return true;
    } catch (error) {
      const code = errorCode(error);
      // Windows says EPERM for a name that is taken.
      if (['ENOTEMPTY', 'EEXIST'].includes(code) || (code === 'EPERM' && (await exists(to)))) {
        return false;
      }
      if (!system.isWindows || !HELD_OPEN.includes(code) || tries >= WINDOWS_TRIES) {
        throw error;
      }
      await sleep(RETRY_MS);
    }
  }
}

/** Whether there is something of that name. */
export async function exists(name: string): Promise<boolean> {
  return fs.access(name).then(
    () => true,
    () => false,
  );
}

/** A new name beside a folder's, for what is half made or is to be removed. */
export function nameBeside(folder: string, kind: string): string {
  return `${folder}.${kind}-${crypto.randomBytes(4).toString('hex')}`;
}

/** Remove a folder as far as it can be removed: what a killed program left may still be growing. */
export async function removeLeftover(folder: string): Promise<void> {
  await fs.rm(folder, { recursive: true, force: true, maxRetries: 3 }).catch(() => undefined);
}

/** Take a folder from its place at once, then remove it. */
export async function removeWhole(folder: string): Promise<void> {
  const aside = nameBeside(folder, 'old');
  await renameFolder(folder, aside);
  await removeLeftover(aside);
}
