import type { AreaSpec as KernelArea } from '../kernel/objects/mm.ts';
import { areaFlags } from '../kernel/objects/mm.ts';
import { AREA_LINE, type AreaSpec } from './schema.ts';

/** An area as a world file writes it, taken apart. */
export interface ReadArea extends Omit<KernelArea, 'file'> {
  /** name of the mapped file; null for memory without one */
  readonly path: string | null;
  readonly inode: number | null;
  /** major << 20 | minor */
  readonly device: number | null;
  readonly isLocked: boolean;
}

const PAGE_SHIFT = 12;
/** First address that is no user address; [vsyscall] is above. */
const USER_END = 2 ** 47;

/** `08:01` as s_dev has it. */
export const deviceNumber = (text: string): number => {
  const [major, minor] = text.split(':').map((part) => Number.parseInt(part, 16));
  return (major! << 20) | minor!;
};

/** Names in brackets are descriptions, not files; but shared memory with a name of its own stays a file. */
function fileName(name: string): string | null {
  if (name.startsWith('[anon_shmem:')) return '/dev/zero (deleted)';
  return name === '' || name.startsWith('[') ? null : name.replaceAll('\\012', '\n');
}

/** Areas that the kernel puts into every process; their pages are counted from 0. */
const SPECIAL = /^\[(?:vdso|vvar|vvar_vclock|uprobes|vectors)\]$/;
/** End of the highest address space that four levels of page tables have; stacks begin their life there (STACK_TOP_MAX). */
const STACK_TOP = USER_END - 4096;

/**
 * vm_pgoff of an area without a file, which /proc/PID/maps does not show: the page number of its address. A stack that was moved
 * down when the program began keeps the one that it had at the top (shift_arg_pages).
 */
function anonymousOffset(start: number, end: number, name: string): number {
  if (SPECIAL.test(name)) return 0;
  return (name === '[stack]' ? STACK_TOP - (end - start) : start) / 2 ** PAGE_SHIFT;
}

/** An area of either form; null for one that is no part of the address space ([vsyscall]). */
export function readArea(spec: AreaSpec): ReadArea | null {
  if (typeof spec !== 'string') {
    const { start, end, perms, offset, path = '', inode, device, locked } = spec;
    const name = fileName(path);
    return {
      start,
      end,
      flags: areaFlags(perms)!,
      pageOffset: offset === undefined && name === null ? anonymousOffset(start, end, path) : (offset ?? 0) / 2 ** PAGE_SHIFT,
      path: name,
      inode: inode ?? null,
      device: device === undefined ? null : deviceNumber(device),
      isLocked: locked,
    };
  }
  const [, start, end, perms, offset = '0', major, minor, inode = '0', name = ''] = AREA_LINE.exec(spec)!;
  const first = Number.parseInt(start!, 16);
  if (first >= USER_END) return null;
  const path = fileName(name);
  const last = Number.parseInt(end!, 16);
  return {
    start: first,
    end: last,
    flags: areaFlags(perms!)!,
    pageOffset: path === null ? anonymousOffset(first, last, name) : Number.parseInt(offset, 16) / 2 ** PAGE_SHIFT,
    path,
    inode: path === null ? null : Number(inode),
    device: path === null || major === undefined ? null : deviceNumber(`${major}:${minor}`),
    isLocked: false,
  };
}
