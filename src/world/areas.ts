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

/** An area of either form; null for one that is no part of the address space ([vsyscall]). */
export function readArea(spec: AreaSpec): ReadArea | null {
  if (typeof spec !== 'string') {
    const { start, end, perms, offset, path = '', inode, device, locked } = spec;
    return {
      start,
      end,
      flags: areaFlags(perms)!,
      pageOffset: offset / 2 ** PAGE_SHIFT,
      path: fileName(path),
      inode: inode ?? null,
      device: device === undefined ? null : deviceNumber(device),
      isLocked: locked,
    };
  }
  const [, start, end, perms, offset = '0', major, minor, inode = '0', name = ''] = AREA_LINE.exec(spec)!;
  const first = Number.parseInt(start!, 16);
  if (first >= USER_END) return null;
  const path = fileName(name);
  return {
    start: first,
    end: Number.parseInt(end!, 16),
    flags: areaFlags(perms!)!,
    pageOffset: Number.parseInt(offset, 16) / 2 ** PAGE_SHIFT,
    path,
    inode: path === null ? null : Number(inode),
    device: path === null || major === undefined ? null : deviceNumber(`${major}:${minor}`),
    isLocked: false,
  };
}
