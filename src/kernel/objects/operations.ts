import { TEXT_HIGH } from '../regions.ts';

/**
 * The tables of operations that tell what a file is. A program compares `file->f_op` with the address of such a symbol, so
 * each has one, the same in every run; the tables themselves cannot be read.
 */
const TABLES = [
  'io_uring_fops',
  'eventfd_fops',
  'eventpoll_fops',
  'pipefifo_fops',
  'socket_file_ops',
  'bpf_iter_fops',
  'bpf_map_fops',
  'bpf_prog_fops',
  'bpf_link_fops',
  'pidfs_file_operations',
  'tty_fops',
  'null_fops',
  'random_fops',
  'urandom_fops',
  'def_chr_fops',
  'ext4_file_operations',
  'ext4_dir_operations',
  'shmem_file_operations',
  'proc_reg_file_ops',
  'signalfd_fops',
  'timerfd_fops',
  'inotify_fops',
] as const;

export type OperationsName = (typeof TABLES)[number];

/** Modelled data symbols of the kernel: behind its text, 512 bytes each. */
const FIRST_TABLE = 0x8220_0000;
const TABLE_STRIDE = 512;

/** Address of a table of file operations; undefined for a name that is none. */
export function operationsAddress(name: string): { readonly lo: number; readonly hi: number } | undefined {
  const index = (TABLES as readonly string[]).indexOf(name);
  return index < 0 ? undefined : { lo: (FIRST_TABLE + index * TABLE_STRIDE) | 0, hi: TEXT_HIGH };
}

/** Every table with its address as one number. */
export const OPERATIONS_ADDRESSES: ReadonlyMap<string, bigint> = new Map(
  TABLES.map((name, index) => [name, (BigInt(TEXT_HIGH >>> 0) << 32n) | BigInt(FIRST_TABLE + index * TABLE_STRIDE)]),
);
