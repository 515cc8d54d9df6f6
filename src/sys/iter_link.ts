import { placeOf } from '../btf/place.ts';
import { ATTACH_TYPES } from '../contracts/attach_types.ts';
import { ERRNO, Unmodelled } from '../contracts/errors.ts';
import type { IterTarget } from '../contracts/iter_target.ts';
import type { IterLinkInfo, IterRun } from '../contracts/iteration.ts';
import type { Profile } from '../contracts/profile.ts';
import { PROG_TYPES } from '../contracts/uapi_numbers.ts';
import type { KernelFile } from '../kernel/objects/files.ts';
import type { Program } from '../program/program.ts';
import { IterLink, type LoadedProgram } from './bpf_objects.ts';
import { IterFile } from './iter_file.ts';
import type { Process } from './process.ts';

/** Iterator links and files: BPF_LINK_CREATE, BPF_LINK_UPDATE, BPF_ITER_CREATE and kin. Source: kernel/bpf/bpf_iter.c, syscall.c. */

const LINK_INFO_BYTES = 16;
const PAGE_BYTES = 4096;
/** Arguments of the attach function of targets whose prototype BTF does not have. */
const FEWEST_WORDS = 2;

const PROGRAM_OF_FILE = new WeakMap<KernelFile, LoadedProgram>();
const LINK_OF_FILE = new WeakMap<KernelFile, IterLink>();

/** BPF_PROG_LOAD: a descriptor, or the error of the verifier. `-EINVAL` also for what is not modelled: ask `System.load` why. */
export function progLoad(process: Process, program: Program): number {
  return process.call('bpf', `BPF_PROG_LOAD, {prog_name="${program.name}"}`, () => {
    const done = process.system.load(program);
    if ('refused' in done) return -ERRNO[done.refused.errno ?? 'EINVAL'];
    const loaded = done.program;
    const fd = process.installAnonymous('bpf-prog', { operations: 'bpf_prog_fops', privateData: loaded.offset });
    const file = process.file(fd);
    if (file !== null) PROGRAM_OF_FILE.set(file, loaded);
    return fd;
  });
}

function programOf(process: Process, fd: number): LoadedProgram | number {
  const file = process.file(fd);
  return file === null ? -ERRNO.EBADF : (PROGRAM_OF_FILE.get(file) ?? -ERRNO.EINVAL);
}

function linkOf(process: Process, fd: number): IterLink | number {
  const file = process.file(fd);
  return file === null ? -ERRNO.EBADF : (LINK_OF_FILE.get(file) ?? -ERRNO.EINVAL);
}

/** The members of union bpf_iter_link_info, which all begin at byte 0. */
export function readLinkInfo(bytes: Uint8Array): IterLinkInfo {
  const padded = new Uint8Array(LINK_INFO_BYTES);
  padded.set(bytes.subarray(0, LINK_INFO_BYTES));
  const view = new DataView(padded.buffer);
  const word = (at: number): number => view.getUint32(at, true);
  return {
    mapFd: word(0),
    task: { tid: word(0), pid: word(4), pidFd: word(8) },
    cgroup: { order: word(0), fd: word(4), id: view.getBigUint64(8, true) },
    ioUringFd: word(0),
    epollFd: word(0),
  };
}

/** The union as bytes of 32-bit numbers. */
export const linkInfo = (...words: readonly number[]): Uint8Array => new Uint8Array(Uint32Array.from(words).buffer);

export interface LinkCreate {
  readonly attachType?: number;
  readonly targetFd?: number;
  readonly flags?: number;
  /** union bpf_iter_link_info; null: iter_info is NULL */
  readonly info?: Uint8Array | null;
  /** iter_info_len; by default the length of the bytes */
  readonly infoLength?: number;
}

/** bpf_check_uarg_tail_zero, and both set or both not. */
function checkInfo(info: Uint8Array | null, length: number): number {
  if ((info === null) !== (length === 0)) return -ERRNO.EINVAL;
  if (info === null) return 0;
  if (length > PAGE_BYTES) return -ERRNO.E2BIG;
  if (length > info.length) return -ERRNO.EFAULT;
  return info.subarray(LINK_INFO_BYTES, length).some((byte) => byte !== 0) ? -ERRNO.E2BIG : 0;
}

/** The target whose attach function the program was written for. */
function targetOf(profile: Profile, program: Program): IterTarget | null {
  const name = program.attach?.name ?? '';
  for (const target of profile.iterTargets.values()) if (target.attachFunction === name) return target;
  return null;
}

function runOf(target: IterTarget): IterRun {
  if (target.run === undefined) throw new Unmodelled(`walking iterator target ${target.name}`);
  return target.run;
}

/** bpf_iter_link_attach */
function create(process: Process, progFd: number, options: LinkCreate): number {
  const { info = null, targetFd = 0, flags = 0 } = options;
  const { system } = process;
  const program = programOf(process, progFd);
  if (typeof program === 'number') return program;
  const { type, expectedAttachType } = program.program;
  if ((options.attachType ?? ATTACH_TYPES.BPF_TRACE_ITER) !== expectedAttachType) return -ERRNO.EINVAL;
  if (type !== PROG_TYPES.tracing || expectedAttachType !== ATTACH_TYPES.BPF_TRACE_ITER) return -ERRNO.EINVAL;
  if (targetFd !== 0 || flags !== 0) return -ERRNO.EINVAL;
  const length = options.infoLength ?? info?.length ?? 0;
  const bad = checkInfo(info, length);
  if (bad !== 0) return bad;
  const target = targetOf(system.profile, program.program);
  if (target === null) return -ERRNO.ENOENT;
  if (program.isSleepable && !target.features.includes('BPF_ITER_RESCHED')) return -ERRNO.EINVAL;
  if (system.machine.allocationFails()) return -ERRNO.ENOMEM;
  const run = runOf(target);
  const told = readLinkInfo((info ?? new Uint8Array(0)).subarray(0, length));
  const { keyAccess, valueAccess } = program.facts;
  const subject = run.attach(system.iterHost(process), told, { program: program.program, keyAccess, valueAccess });
  if (typeof subject === 'number') return subject;
  const link = new IterLink(system.kernel.objects, system.links.nextId, { target, run, subject, info: told, program });
  const fd = process.installAnonymous('bpf_link', {
    operations: 'bpf_link_fops',
    privateData: link.offset,
    fdinfo: () => linkFdinfo(link),
    release: () => {
      system.links.remove(link);
      run.detach?.(subject);
    },
  });
  if (fd < 0) run.detach?.(subject);
  else {
    system.links.add(link);
    LINK_OF_FILE.set(process.file(fd)!, link);
  }
  return fd;
}

/** BPF_LINK_CREATE: a descriptor, or an error. */
export const linkCreate = (process: Process, progFd: number, options: LinkCreate = {}): number =>
  process.call('bpf', `BPF_LINK_CREATE, {prog_fd=${progFd}}`, () => create(process, progFd, options));

/** BPF_LINK_UPDATE; files that are open keep the old program. `oldFd`: the program that has to be there. */
export function linkUpdate(process: Process, linkFd: number, progFd: number, oldFd: number | null = null): number {
  return process.call('bpf', `BPF_LINK_UPDATE, {link_fd=${linkFd}, new_prog_fd=${progFd}}`, () => {
    const link = linkOf(process, linkFd);
    if (typeof link === 'number') return link;
    const next = programOf(process, progFd);
    if (typeof next === 'number') return next;
    const old = oldFd === null ? link.program : programOf(process, oldFd);
    if (typeof old === 'number') return old;
    if (old !== link.program) return -ERRNO.EPERM;
    const [from, to] = [link.program.program, next.program];
    const fits =
      from.type === to.type && from.expectedAttachType === to.expectedAttachType && from.attach?.btfId === to.attach?.btfId;
    if (!fits) return -ERRNO.EINVAL;
    link.program = next;
    return 0;
  });
}

/** BPF_LINK_DETACH: iterator links have no such operation. */
export const linkDetach = (process: Process, linkFd: number): number =>
  process.call('bpf', `BPF_LINK_DETACH, {link_fd=${linkFd}}`, () => {
    const link = linkOf(process, linkFd);
    return typeof link === 'number' ? link : -ERRNO.EOPNOTSUPP;
  });

const linkFdinfo = (link: IterLink): string =>
  [
    'link_type:\titer\n',
    `link_id:\t${link.id}\n`,
    `prog_tag:\t${link.program.tag}\n`,
    `prog_id:\t${link.program.id}\n`,
    `target_name:\t${link.target.name}\n`,
    link.run.fdinfo?.(link.subject) ?? '',
  ].join('');

export interface LinkInfo {
  readonly id: number;
  readonly progId: number;
  /** as much of the name as the buffer took, without the zero; null without a buffer */
  readonly targetName: string | null;
  /** length of the whole name with its zero; when the name was cut off, the size of the buffer as it was given */
  readonly targetNameLength: number;
  /** what the target filled in */
  readonly fields: Readonly<Record<string, number | bigint>>;
  /** 0, or -ENOSPC when the name was cut off: then the name is all that user space gets */
  readonly result: number;
}

/** BPF_OBJ_GET_INFO_BY_FD on an iterator link. `nameBuffer`: bytes for the target's name, 0 for none. */
export function linkInfoOf(process: Process, linkFd: number, nameBuffer = 64): LinkInfo | number {
  const link = linkOf(process, linkFd);
  if (typeof link === 'number') return link;
  const { name } = link.target;
  const targetName = nameBuffer === 0 ? null : name.slice(0, nameBuffer - 1);
  if (nameBuffer > 0 && nameBuffer <= name.length) {
    return { id: 0, progId: 0, targetName, targetNameLength: nameBuffer, fields: {}, result: -ERRNO.ENOSPC };
  }
  return {
    id: link.id,
    progId: link.program.id,
    targetName,
    targetNameLength: name.length + 1,
    fields: link.run.linkInfo?.(link.subject) ?? {},
    result: 0,
  };
}

/** Where struct bpf_link_info has what targets fill in. */
const INFO_PATHS: Readonly<Record<string, string>> = {
  map_id: 'iter.map.map_id',
  order: 'iter.cgroup.order',
  cgroup_id: 'iter.cgroup.cgroup_id',
  tid: 'iter.task.tid',
  pid: 'iter.task.pid',
  io_uring_inode: 'iter.io_uring.inode',
};

/**
 * What the kernel tells of an iterator link: a line for each of fdinfo, and one for each field of struct bpf_link_info that its
 * target fills in, with the byte where this kernel's struct has it. Null for what is no such link.
 */
export function linkInfoLines(process: Process, linkFd: number): readonly string[] | null {
  const link = linkOf(process, linkFd);
  if (typeof link === 'number') return null;
  const { btf } = process.system.profile;
  const struct = btf.findByName('bpf_link_info', 'STRUCT');
  const fields = Object.entries(link.run.linkInfo?.(link.subject) ?? {}).map(([name, value]) => {
    const path = INFO_PATHS[name];
    const place = struct === undefined || path === undefined ? null : placeOf(btf, struct, path);
    return `bpf_link_info.${path ?? name}${place === null ? '' : ` @${place.offset}`} = ${value}`;
  });
  return [...linkFdinfo(link).trimEnd().split('\n'), ...fields];
}

/** BPF_ITER_CREATE: a descriptor whose reads walk the target, or an error. */
export function iterCreate(process: Process, linkFd: number, flags = 0): number {
  return process.call('bpf', `BPF_ITER_CREATE, {link_fd=${linkFd}}`, () => {
    if (flags !== 0) return -ERRNO.EINVAL;
    const link = linkOf(process, linkFd);
    return typeof link === 'number' ? link : openIterator(process, link);
  });
}

/** bpf_iter_new_fd, prepare_seq_file */
function openIterator(process: Process, link: IterLink): number {
  const { system } = process;
  if (system.machine.allocationFails()) return -ERRNO.ENOMEM;
  let iter: IterFile | null = null;
  const fd = process.installAnonymous('bpf_iter', {
    operations: 'bpf_iter_fops',
    privateData: 0,
    read: (size) => iter!.read(size),
    release: () => iter?.release(),
  });
  const file = process.file(fd);
  if (file === null) return fd;
  iter = new IterFile(system, link.program, file.offset, system.newSession(), wordsOf(system.profile, link));
  const sequence = link.run.open(system.iterHost(process), link.subject, iter);
  if (typeof sequence === 'number') {
    process.files.close(fd);
    return sequence;
  }
  iter.begin(sequence);
  system.kernel.objects.field('file', 'private_data').setPointer(file.offset, iter.seq.offset);
  ITER_OF_FILE.set(file, iter);
  return fd;
}

const ITER_OF_FILE = new WeakMap<KernelFile, IterFile>();

/** The iterator behind a descriptor, for those who look at sessions and locks; null for other files. */
export function iterOf(process: Process, fd: number): IterFile | null {
  const file = process.file(fd);
  return file === null ? null : (ITER_OF_FILE.get(file) ?? null);
}

function wordsOf(profile: Profile, link: IterLink): number {
  const func = profile.btf.findByName(link.target.attachFunction, 'FUNC');
  const proto = func === undefined ? undefined : profile.btf.typeOf(func.type, 'FUNC_PROTO');
  return Math.max(proto?.params.length ?? 0, FEWEST_WORDS);
}
