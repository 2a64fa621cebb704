/**
 * What differs between Windows and the other systems. Functions take it as an argument, so that a
 * test can run each branch on any machine.
 */

import * as path from 'node:path';

export interface System {
  readonly isWindows: boolean;
  readonly path: path.PlatformPath;
}

export const WINDOWS: System = { isWindows: true, path: path.win32 };
export const POSIX: System = { isWindows: false, path: path.posix };
export const HERE = process.platform === 'win32' ? WINDOWS : POSIX;
