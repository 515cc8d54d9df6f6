import { ERRNO } from '../../contracts/errors.ts';
import type { HostCall, PartKey } from '../../contracts/host_call.ts';

/** Sessions of probes, and what a device tells of a frame. Source: kernel/trace/bpf_trace.c, net/core/xdp.c. */

/** The cookie that a session keeps from the entry of a function to its end. */
const SESSION_COOKIE: PartKey<number> = {
  name: 'cookie of a session',
  create: ({ memory }) => memory.allocate(8, { what: 'cookie of a session' }),
};

/** Programs run at the entry of the function that they are attached to. */
export const sessionIsReturn = (call: HostCall): void => call.setReturn(0, 0);
export const sessionCookie = (call: HostCall): void => call.setReturnPointer(call.part(SESSION_COOKIE));

/** Frames come from a device whose driver tells nothing. */
export const noMetadata = (call: HostCall): void => call.setReturnNumber(-ERRNO.EOPNOTSUPP);
