import { writeSync } from 'node:fs';
import pc from 'picocolors';

const STDOUT = 1;
const STDERR = 2;

/** Pause before a full pipe is tried again, in milliseconds. */
const PIPE_PAUSE = 5;

const sleeper = new Int32Array(new SharedArrayBuffer(4));

/** Where output goes instead of the process's own. */
export interface OutputSinks {
  readonly stdout: (bytes: Uint8Array) => void;
  readonly stderr: (bytes: Uint8Array) => void;
}

let sinks: OutputSinks | null = null;

/** What the action prints goes to the sinks. */
export async function withOutput<T>(to: OutputSinks, action: () => Promise<T>): Promise<T> {
  const before = sinks;
  sinks = to;
  try {
    return await action();
  } finally {
    sinks = before;
  }
}

/** Writes all bytes, also into a pipe whose reader is slow. Ends the process quietly when the reader is gone. */
function writeAll(fd: number, bytes: Uint8Array): void {
  if (sinks !== null) return void sinks[fd === STDOUT ? 'stdout' : 'stderr'](bytes);
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(fd, bytes, at);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EPIPE') process.exit();
      if (code !== 'EAGAIN') throw error;
      Atomics.wait(sleeper, 0, 0, PIPE_PAUSE);
    }
  }
}

/** Text for standard output, written before the call returns: a log of gigabytes never stands in memory. */
export const print = (text: string): void => writeAll(STDOUT, Buffer.from(text, 'utf8'));

/** Bytes for standard output, as they are. */
export const printBytes = (bytes: Uint8Array): void => writeAll(STDOUT, bytes);

/** Text for standard error. */
export const warn = (text: string): void => writeAll(STDERR, Buffer.from(text, 'utf8'));

/** Colours of standard output: none unless it is a terminal. */
export const colours = pc.createColors(process.stdout.isTTY === true && pc.isColorSupported);
export type Colours = typeof colours;
