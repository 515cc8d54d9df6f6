/** What user space does in a scenario, in the guest as in the model; and what it is answered. */

/** Descriptors go by names: of programs and maps as the text has them, of links, iterators and directories as steps give them. */
export type Step =
  | { readonly do: 'load'; readonly prog: string }
  /** BPF_PROG_TEST_RUN of a raw tracepoint; the result is the error, or what the program returned */
  | { readonly do: 'run'; readonly prog: string }
  | { readonly do: 'lookup'; readonly map: string; readonly key: string; readonly size: number }
  | { readonly do: 'update'; readonly map: string; readonly key: string; readonly value: string }
  | { readonly do: 'delete'; readonly map: string; readonly key: string }
  | {
      readonly do: 'attach';
      readonly prog: string;
      readonly link: string;
      /** words of union bpf_iter_link_info; a name stands for its descriptor */
      readonly info?: readonly (number | string)[];
      readonly infoLength?: number;
      readonly targetFd?: number;
      readonly flags?: number;
      readonly attachType?: number;
    }
  | { readonly do: 'iter'; readonly link: string; readonly iter: string; readonly flags?: number }
  | { readonly do: 'relink'; readonly link: string; readonly prog: string; readonly old?: string }
  | { readonly do: 'detach'; readonly link: string }
  /** `all`: to the end or an error */
  | { readonly do: 'read'; readonly iter: string; readonly size: number; readonly all?: true }
  | { readonly do: 'close'; readonly fd: string }
  | { readonly do: 'fdinfo'; readonly fd: string }
  /** `room`: bytes for the name of the target */
  | { readonly do: 'info'; readonly link: string; readonly room: number }
  | { readonly do: 'cgroup'; readonly path: string; readonly fd: string }
  | { readonly do: 'area'; readonly start: number; readonly length: number; readonly protection: number }
  | { readonly do: 'unmap'; readonly start: number; readonly length: number }
  /** a mapping that the next steps change */
  | {
      readonly do: 'mmap';
      readonly map: string;
      readonly page: number;
      readonly pages: number;
      readonly protection: number;
      readonly shared?: boolean;
    }
  | { readonly do: 'mprotect'; readonly protection: number }
  | { readonly do: 'mremap'; readonly pages: number }
  | { readonly do: 'ring'; readonly map: string; readonly size: number }
  | { readonly do: 'watch'; readonly map: string; readonly events: number }
  | { readonly do: 'wait'; readonly map: string; readonly timeout: number }
  | { readonly do: 'record'; readonly map: string; readonly at: number; readonly length: number; readonly payload?: string }
  /** records of one length from position 0 on, published */
  | { readonly do: 'fill'; readonly map: string; readonly count: number; readonly length: number }
  | { readonly do: 'producer'; readonly map: string; readonly position: number }
  | { readonly do: 'positions'; readonly map: string }
  | { readonly do: 'payload'; readonly map: string; readonly at: number; readonly size: number }
  | { readonly do: 'reserve'; readonly map: string; readonly size: number; readonly timeout?: number }
  | { readonly do: 'commit'; readonly map: string; readonly record: number; readonly discard?: true }
  | { readonly do: 'later'; readonly prog: string; readonly delay: number };

export type StepName = Step['do'];

/** Results are not negative, or negative error numbers; bytes are hexadecimal. */
export interface Answer {
  readonly result?: number;
  readonly hex?: string;
  readonly pieces?: readonly string[];
  readonly text?: string;
  readonly events?: number;
  readonly consumer?: number;
  readonly producer?: number;
  readonly type?: number;
  readonly length?: number;
  readonly name?: string;
  readonly words?: readonly number[];
}

export interface Scenario {
  readonly name: string;
  /** programs and maps */
  readonly text: string;
  readonly steps: readonly Step[];
}

export const EPOLL_EDGE = 0x8000_0000;
export const EPOLL_OUT = 4;
export const RING_BUSY = 0x8000_0000;
export const RING_DISCARD = 0x4000_0000;

/** 64-bit numbers as bytes. */
export const u64s = (...values: readonly (number | bigint)[]): string =>
  Buffer.from(BigInt64Array.from(values.map(BigInt)).buffer).toString('hex');

/** 32-bit numbers as bytes. */
export const u32s = (...values: readonly number[]): string => Buffer.from(Int32Array.from(values).buffer).toString('hex');

/** One program of a text, loaded. */
export const load = (...progs: readonly string[]): Step[] => progs.map((prog) => ({ do: 'load', prog }));
