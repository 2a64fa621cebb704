/** A lock between processes: a folder that names its owner, and that the owner keeps touching. */

import * as fs from 'node:fs/promises';
import * as os from 'node:os';
import * as path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { Cancelled, errorCode } from './errors';
import { exists, nameBeside, removeLeftover, removeWhole, renameFolder } from './folders';

const TOUCH_MS = 5_000;
/** An owner that has not touched its lock for so long is gone. */
const STALE_MS = 60_000;
const POLL_MS = 500;
const OWNER = 'owner.json';

interface Owner {
  readonly pid: number;
  /** Where the process number counts. */
  readonly machine: string;
}

/**
 * Run `body` while holding the lock. It saves double work, no more: what it guards must be safe
 * even when a suspended owner wakes up after its lock was taken over.
 * @throws Cancelled, a file system error, or what `body` throws.
 */
export async function withLock<T>(
  lock: string,
  cancel: AbortSignal,
  onWait: () => void,
  body: () => Promise<T>,
): Promise<T> {
  while (!(await tryLock(lock))) {
    onWait();
    await sleep(POLL_MS, undefined, { signal: cancel }).catch(() => {
      throw new Cancelled();
    });
  }
  return await holding(lock, body);
}

/** Run `body` while holding the lock if nobody else holds it. */
export async function withFreeLock(lock: string, body: () => Promise<void>): Promise<void> {
  if (await tryLock(lock)) {
    await holding(lock, body);
  }
}

async function holding<T>(lock: string, body: () => Promise<T>): Promise<T> {
  const touch = setInterval(() => {
    const now = new Date();
    fs.utimes(lock, now, now).catch(() => undefined);
  }, TOUCH_MS);
  try {
    return await body();
  } finally {
    clearInterval(touch);
    // It may have been taken over, or cannot be removed: then it is stale in a minute.
    await removeWhole(lock).catch(() => undefined);
  }
}

/** Take the lock unless somebody has it; clear it away when its owner is gone. */
async function tryLock(lock: string): Promise<boolean> {
  if (!(await exists(lock))) {
    return await take(lock);
  }
  if (await isAbandoned(lock)) {
    // Renaming lets one waiter win; the others find no such folder, and try again.
    await removeWhole(lock).catch(() => undefined);
  }
  return false;
}

/** The folder comes into its place with the owner's name in it: no kill leaves one without. */
async function take(lock: string): Promise<boolean> {
  const made = nameBeside(lock, 'new');
  try {
    await fs.mkdir(made);
    const owner: Owner = { pid: process.pid, machine: await thisMachine() };
    await fs.writeFile(path.join(made, OWNER), JSON.stringify(owner));
    return await renameFolder(made, lock);
  } finally {
    await removeLeftover(made);
  }
}

async function isAbandoned(lock: string): Promise<boolean> {
  const touched = await fs.stat(lock).catch(() => undefined);
  if (!touched) {
    return false;
  }
  return Date.now() - touched.mtimeMs > STALE_MS || (await isOwnerGone(lock));
}

/** Whether the owner's process, on this machine, has ended. */
async function isOwnerGone(lock: string): Promise<boolean> {
  try {
    const owner = JSON.parse(await fs.readFile(path.join(lock, OWNER), 'utf8')) as Owner;
    if (owner.machine !== (await thisMachine())) {
      return false;
    }
    process.kill(owner.pid, 0);
  } catch (error) {
    return errorCode(error) === 'ESRCH';
  }
  return false;
}

/** Containers may share a tool directory and a host name: on Linux, each has its own process numbers. */
async function thisMachine(): Promise<string> {
  const boot = fs.readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '');
  const processes = fs.readlink('/proc/self/ns/pid').catch(() => '');
  return [os.hostname(), (await boot).trim(), await processes].join(' ');
}
