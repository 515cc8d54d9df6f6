import type { HostPacket } from '../contracts/host_packet.ts';

/**
 * A context whose loads and stores the kernel rewrites (convert_ctx_access): the program names fields of a struct that does not
 * exist as such. Offsets are within that struct.
 */
export interface ContextAccessor {
  /** the value at its width, low half; the high half is in `wideHi`. Null where there is no field. */
  load(at: number, size: number): number | null;
  readonly wideHi: number;
  /** false where nothing may be stored */
  store(at: number, size: number, lo: number, hi: number): boolean;
}

/** What a program runs on: the object r1 points to, and what became of it afterwards. */
export interface RunContext {
  /** offset of the context object; 0 when r1 is no pointer */
  readonly offset: number;
  /** translates loads and stores; null for plain bytes */
  readonly accessor: ContextAccessor | null;
  readonly packet: HostPacket | null;
  /** bytes of the packet, or of a plain context, as the program left them; null without */
  output(): Uint8Array | null;
  /** the user-visible context struct after the run (ctx_out of BPF_PROG_TEST_RUN); null without */
  contextOutput(): Uint8Array | null;
  release(): void;
}

/** The bits of a loaded field that a narrow load at byte `within` of it sees. Source: convert_ctx_accesses, kernel/bpf/verifier.c. */
export const narrow = (value: number, within: number, size: number): number => {
  const shifted = value >>> (8 * within);
  return size >= 4 ? shifted | 0 : shifted & ((1 << (8 * size)) - 1);
};
