import { IORING_SETUP } from '../../kernel/io_uring.ts';
import { eventfd } from '../../sys/event_calls.ts';
import { ioUringSetup, registerBuffers, registerEventFd, registerFiles, ringParams } from '../../sys/io_uring_calls.ts';
import type { Process } from '../../sys/process.ts';
import { type CrOutcome, CrOutput } from './outcome.ts';

/** sizeof(struct io_uring_params) */
const PARAMS_BYTES = 120;
/** Where the sample's parameters stood on the stack when its transcript was made. */
export const PARAMS_ADDRESS = 140721288339216n;

/**
 * `bpf_cr app`: a ring, a second one that shares its polling thread, an eventfd, a sparse table of files, an empty buffer and one
 * on the stack. The process then waits for ever; here it just stays. `params`: address of a variable on its stack.
 */
export function crApp(process: Process, params = PARAMS_ADDRESS): CrOutcome {
  const output = new CrOutput();
  const p = ringParams({
    flags: IORING_SETUP.CQSIZE | IORING_SETUP.SQPOLL | IORING_SETUP.SQ_AFF,
    sqThreadIdle: 1500,
    cqEntries: 4,
  });
  const failed = (text: string, error: number): CrOutcome => {
    output.fail(text, error);
    return output.done(1);
  };
  process.task.mm?.memory.map(Number(params), PARAMS_BYTES);
  const parent = ioUringSetup(process, 2, p);
  if (parent < 0) return failed('Failed to create io_uring', parent);
  const pid = process.call('getpid', '', () => process.task.tgid);
  output.print(`PID: ${pid}, Parent io_uring: ${parent}, `);
  p.flags |= IORING_SETUP.ATTACH_WQ;
  p.wqFd = parent;
  const ring = ioUringSetup(process, 2, p);
  if (ring < 0) return failed('\nFailed to create io_uring', ring);
  output.print(`Dependent io_uring: ${ring}\n`);
  const event = eventfd(process, 42);
  if (event < 0) return failed('Failed to create eventfd', event);
  const async = registerEventFd(process, ring, event, true);
  if (async < 0) return failed('Failed to register eventfd (async)', async);
  const files = registerFiles(process, ring, [0, -1, 1, -1, 2]);
  if (files < 0) return failed('Failed to register files', files);
  const buffers = registerBuffers(process, ring, [
    { base: null, length: 0 },
    { base: params, length: PARAMS_BYTES },
  ]);
  return buffers < 0 ? failed('Failed to register buffers', buffers) : output.done(0);
}
