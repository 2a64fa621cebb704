/** A lock between processes, as a folder that its owner keeps touching. */

import * as crypto from 'node:crypto';
import * as fs from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

import { Cancelled, errorCode } from './errors';

const TOUCH_MS = 5_000;
/** An owner that has not touched its lock for so long is gone. */
const STALE_MS = 60_000;
const POLL_MS = 500;

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
  while (!(await take(lock))) {
    onWait();
    await sleep(POLL_MS, undefined, { signal: cancel }).catch(() => {
      throw new Cancelled();
    });
  }
  const touch = setInterval(() => {
    const now = new Date();
    fs.utimes(lock, now, now).catch(() => undefined);
  }, TOUCH_MS);
  try {
    return await body();
  } finally {
    clearInterval(touch);
    await fs.rm(lock, { recursive: true, force: true });
  }
}

async function take(lock: string): Promise<boolean> {
  try {
    await fs.mkdir(lock);
    return true;
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') {
      throw error;
    }
  }
  const touched = await fs.stat(lock).catch(() => undefined);
  if (touched && Date.now() - touched.mtimeMs > STALE_MS) {
    // Renaming lets one waiter win; the others find no such folder, and try again.
    const stale = `${lock}.${crypto.randomBytes(4).toString('hex')}`;
    await fs.rename(lock, stale).catch(() => undefined);
    await fs.rm(stale, { recursive: true, force: true });
  }
  return false;
}
