import { ERRNO } from '../contracts/errors.ts';
import type { RunContext } from './context.ts';
import type { GuestMemory } from './memory.ts';

/** A context of plain bytes: argument slots, registers, a buffer of user-defined layout. Fewer bytes than `size` are followed by zeros. */
export function plainContext(memory: GuestMemory, bytes: Uint8Array, size: number): RunContext | number {
  const length = Math.max(bytes.length, size);
  if (length === 0) return emptyContext;
  const offset = memory.allocate(length, { what: 'context' });
  if (offset === 0) return -ERRNO.ENOMEM;
  memory.u8.set(bytes, offset);
  return {
    offset,
    accessor: null,
    packet: null,
    output: () => null,
    contextOutput: () => memory.u8.slice(offset, offset + length),
    release: () => memory.free(offset),
  };
}

/** No context: r1 is 0. */
export const emptyContext: RunContext = {
  offset: 0,
  accessor: null,
  packet: null,
  output: () => null,
  contextOutput: () => null,
  release: () => {},
};
