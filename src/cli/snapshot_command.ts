import { readdirSync, readFileSync, readlinkSync, statSync, writeFileSync } from 'node:fs';
import { bytesOfText, textOfBytes } from '../kernel/text.ts';
import { readProcesses, snapshotOf, snapshotText } from '../world/snapshot.ts';
import type { Failure, FileStatus, ProcFiles } from '../world/snapshot_capture.ts';
import { EXIT, type ExitStatus, UsageError } from './exit.ts';
import { print, warn } from './output.ts';

export interface SnapshotCommandOptions {
  readonly pid: readonly number[];
  readonly out?: string;
}

/** The result, or the error number's name. */
function attempt<T>(action: () => T): T | Failure {
  try {
    return action();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    return { errno: code };
  }
}

const BYTE = 0xffn;
const MAJOR_LOW = 0xfffn;

/** A device number of stat(2) as `08:01`. Source: gnu_dev_major, gnu_dev_minor. */
export function deviceText(device: bigint): string {
  const major = ((device >> 8n) & MAJOR_LOW) | ((device >> 32n) & ~MAJOR_LOW);
  const minor = (device & BYTE) | ((device >> 12n) & ~BYTE);
  return [major, minor].map((part) => part.toString(16).padStart(2, '0')).join(':');
}

function status(path: Buffer | string): FileStatus {
  const { mode, dev, ino, rdev } = statSync(path, { bigint: true });
  return { mode: Number(mode), device: deviceText(dev), inode: Number(ino), special: deviceText(rdev) };
}

/** The files of this machine. */
export const localFiles: ProcFiles = {
  read: (path) => attempt(() => textOfBytes(readFileSync(path))),
  list: (path) => attempt(() => readdirSync(path)),
  link: (path) => attempt(() => textOfBytes(readlinkSync(path, 'buffer'))),
  status: (path) => attempt(() => status(Buffer.from(bytesOfText(path)))),
};

/** `drybpf snapshot`: the world goes to standard output or into a file, what it lacks to standard error too. */
export async function snapshotCommand({ pid, out }: SnapshotCommandOptions): Promise<ExitStatus> {
  if (process.platform !== 'linux') throw new UsageError(`a snapshot needs the /proc of Linux; this is ${process.platform}`);
  const reading = readProcesses(localFiles, pid.length === 0 ? null : [...new Set(pid)].sort((a, b) => a - b));
  if ('errno' in reading) throw new UsageError(`/proc cannot be read: ${reading.errno}`);
  const { captures, gone } = reading;
  if (pid.length > 0 && gone.length > 0) throw new UsageError(`there is no process ${gone.join(', ')}`);
  const snapshot = snapshotOf(captures, localFiles);
  const text = snapshotText(snapshot);
  if (out === undefined) print(text);
  else writeFileSync(out, text);
  for (const line of snapshot.leftOut) warn(`drybpf: left out: ${line.replaceAll('\n', ' ')}\n`);
  const tasks = captures.reduce((sum, { process: { threads } }) => sum + threads.length, 0);
  warn(`drybpf: ${captures.length} processes with ${tasks} threads; ${gone.length} ended before they were read\n`);
  return EXIT.good;
}
