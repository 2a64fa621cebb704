/**
 * Removing environments that nobody uses any more. Each use sets the time of an environment's marker,
 * and goes on setting it while the task runs; so one in use is never old.
 */

import * as fs from 'node:fs/promises';
import * as path from 'node:path';

import { debug } from './agentCommands';
import { removeLeftover, removeWhole } from './folders';
import { withFreeLock } from './lock';
import { say } from './log';

export const MARKER = '.complete';
const TOUCH_MS = 10 * 60_000;
const DAY_MS = 24 * 3_600_000;
const OLDEST_DAYS = 30;
const MOST = 8;
const ENVIRONMENT = /^[0-9a-f]{16}$/;
/** What a killed task leaves: half of an environment, of a lock or of a removal, or of uv. */
const LEFTOVER = /\.(new|old)-[0-9a-f]+$/;

/** Say that the environment is in use, from now until the returned function is called. */
export async function beginUse(folder: string): Promise<() => void> {
  const touch = async () => {
    const now = new Date();
    // There is no environment yet, or it is not ours to write: then it is not ours to remove either.
    await fs.utimes(path.join(folder, MARKER), now, now).catch(() => undefined);
  };
  await touch();
  const timer = setInterval(() => void touch(), TOUCH_MS);
  timer.unref();
  return () => {
    clearInterval(timer);
  };
}

/** The environments that are to go: the long unused, and the least used beyond the most we keep. */
export function outdated(lastUse: ReadonlyMap<string, number>, now: number): string[] {
  const byUse = [...lastUse].sort(([, one], [, other]) => other - one);
  return byUse
    .filter(([, used], rank) => {
      const days = (now - used) / DAY_MS;
      return days > OLDEST_DAYS || (rank >= MOST && days > 1);
    })
    .map(([name]) => name);
}

/** Remove outdated environments and old leftovers of our folder in the tool directory. */
export async function prune(tools: string, cancel: AbortSignal): Promise<void> {
  try {
    const names = await fs.readdir(tools);
    const lastUse = new Map<string, number>();
    for (const name of names.filter((each) => ENVIRONMENT.test(each))) {
      // Without a marker, none was finished here: it counts from the folder's last change.
      const folder = path.join(tools, name);
      lastUse.set(
        name,
        (await modified(path.join(folder, MARKER))) ?? (await modified(folder)) ?? Date.now(),
      );
    }
    for (const name of outdated(lastUse, Date.now())) {
      if (cancel.aborted) {
        return;
      }
      await removeUnused(path.join(tools, name));
    }
    await removeOldLeftovers(tools);
    await removeOldLeftovers(path.join(tools, 'uv'));
  } catch (error) {
    // A directory that this account may not write to, for one; nothing of the task depends on it.
    debug(`Old environments were not removed: ${String(error)}`);
  }
}

/** Under its lock: who begins to use an environment afterwards waits, and builds it again. */
async function removeUnused(folder: string): Promise<void> {
  await withFreeLock(`${folder}.lock`, async () => {
    const used = (await modified(path.join(folder, MARKER))) ?? 0;
    if (Date.now() - used > DAY_MS) {
      say(`Removing the Python environment ${folder}, which was not used for a long time`);
      await removeWhole(folder);
    }
  });
}

async function removeOldLeftovers(folder: string): Promise<void> {
  for (const name of await fs.readdir(folder).catch(() => [])) {
    const place = path.join(folder, name);
    const age = Date.now() - ((await modified(place)) ?? Date.now());
    if (LEFTOVER.test(name) && age > DAY_MS) {
      await removeLeftover(place);
    }
  }
}

async function modified(place: string): Promise<number | undefined> {
  return fs.stat(place).then(
    (found) => found.mtimeMs,
    () => undefined,
  );
}
