import { Btf } from '../btf.ts';
import { BtfError } from '../error.ts';
import { type KernelTypes, parseStructMetas } from '../fields.ts';
import type { FieldRecord } from '../special.ts';
import { BTF_HEADER_BYTES, BTF_MAGIC, BTF_MAX_NAME_OFFSET, type BtfHeader, viewOf } from '../wire.ts';
import { type BtfLog, CheckEnv } from './env.ts';
import { checkAllMetas } from './meta.ts';
import { checkAllTypes, checkTypeTags } from './resolve.ts';

export type { BtfLog } from './env.ts';

const BTF_MAX_SIZE = 16 * 1024 * 1024;

const refuse = (log: BtfLog | undefined, message: string, errno: BtfError['errno'] = 'EINVAL'): never => {
  log?.(message);
  throw new BtfError(message, { errno });
};

/** The header as far as it says it reaches, the rest zero. Source: btf_parse_hdr. */
const parseHeader = (bytes: Uint8Array, log: BtfLog | undefined): BtfHeader => {
  if (bytes.length < 8) refuse(log, 'hdr_len not found');
  const claimed = viewOf(bytes).getUint32(4, true);
  if (bytes.length < claimed) refuse(log, 'btf_header not found');
  if (bytes.subarray(BTF_HEADER_BYTES, Math.max(claimed, BTF_HEADER_BYTES)).some((byte) => byte !== 0))
    refuse(log, 'Unsupported btf_header', 'E2BIG');
  const copy = new Uint8Array(BTF_HEADER_BYTES);
  copy.set(bytes.subarray(0, Math.min(claimed, BTF_HEADER_BYTES)));
  const view = viewOf(copy);
  const header: BtfHeader = {
    magic: view.getUint16(0, true),
    version: view.getUint8(2),
    flags: view.getUint8(3),
    hdrLen: view.getUint32(4, true),
    typeOff: view.getUint32(8, true),
    typeLen: view.getUint32(12, true),
    strOff: view.getUint32(16, true),
    strLen: view.getUint32(20, true),
  };
  logHeader(header, bytes.length, log);
  if (header.magic !== BTF_MAGIC) refuse(log, 'Invalid magic');
  if (header.version !== 1) refuse(log, 'Unsupported version', 'ENOTSUPP');
  if (header.flags !== 0) refuse(log, 'Unsupported flags', 'ENOTSUPP');
  if (bytes.length === header.hdrLen) refuse(log, 'No data');
  return header;
};

/** Source: btf_verifier_log_hdr. */
const logHeader = (header: BtfHeader, size: number, log: BtfLog | undefined): void => {
  log?.(`magic: 0x${header.magic.toString(16)}\n`);
  log?.(`version: ${header.version}\n`);
  log?.(`flags: 0x${header.flags.toString(16)}\n`);
  log?.(`hdr_len: ${header.hdrLen}\n`);
  log?.(`type_off: ${header.typeOff}\n`);
  log?.(`type_len: ${header.typeLen}\n`);
  log?.(`str_off: ${header.strOff}\n`);
  log?.(`str_len: ${header.strLen}\n`);
  log?.(`btf_total_size: ${size}\n`);
};

/** The two sections fill the blob without gap or overlap. Source: btf_check_sec_info. */
const checkSections = (header: BtfHeader, size: number, log: BtfLog | undefined): void => {
  const sections = [
    { off: header.typeOff, len: header.typeLen },
    { off: header.strOff, len: header.strLen },
  ].sort((a, b) => (a.off - b.off) | 0 || (a.len - b.len) | 0);
  const expected = size - header.hdrLen;
  let total = 0;
  for (const { off, len } of sections) {
    if (expected < off) refuse(log, 'Invalid section offset');
    if (total < off) refuse(log, 'Unsupported section found');
    if (total > off) refuse(log, 'Section overlap found');
    if (expected - total < len) refuse(log, 'Total section length too long');
    total += len;
  }
  if (expected !== total) refuse(log, 'Unsupported section found');
};

/** Source: btf_parse_str_sec. */
const checkStrings = (bytes: Uint8Array, header: BtfHeader, log: BtfLog | undefined): void => {
  const start = header.hdrLen + header.strOff;
  if (start + header.strLen !== bytes.length) refuse(log, 'String section is not at the end');
  if (header.strLen === 0 || header.strLen - 1 > BTF_MAX_NAME_OFFSET || bytes.at(-1) !== 0 || bytes[start] !== 0)
    refuse(log, 'Invalid string section');
};

/** Source: btf_parse_type_sec. */
const checkTypes = (env: CheckEnv): void => {
  if (env.header.typeOff % 4 !== 0) env.refuse('Unaligned type_off');
  if (env.header.typeLen === 0) env.refuse('No type found');
  checkAllMetas(env);
  checkAllTypes(env);
};

export interface CheckedBtf {
  readonly btf: Btf;
  /** Special fields of the structs that a program may allocate, by type id. */
  readonly structMetas: ReadonlyMap<number, FieldRecord>;
}

/**
 * What BPF_BTF_LOAD does with a program's BTF. Throws `BtfError` with the kernel's error number and the log line of the
 * refusal. `log` gets the whole log as the kernel writes it at level 1. Source: btf_parse, kernel/bpf/btf.c.
 */
export const checkBtf = (bytes: Uint8Array, kernel: KernelTypes, log?: BtfLog): CheckedBtf => {
  if (bytes.length > BTF_MAX_SIZE) throw new BtfError('BTF is larger than 16 MiB', { errno: 'E2BIG' });
  const header = parseHeader(bytes, log);
  checkSections(header, bytes.length, log);
  checkStrings(bytes, header, log);
  const env = new CheckEnv(bytes, header, log);
  checkTypes(env);
  checkTypeTags(env);
  const btf = Btf.parse(bytes);
  return { btf, structMetas: parseStructMetas(btf, kernel) };
};
