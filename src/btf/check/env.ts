import { type BtfErrno, BtfError } from '../error.ts';
import { textAt } from '../names.ts';
import { BTF_KINDS, kindWord } from '../types.ts';
import { BTF_MAX_NAME_OFFSET, type BtfHeader, KIND, viewOf } from '../wire.ts';
import { details } from './details.ts';
import { isValidIdentifier, isValidSection } from './names.ts';
import {
  bitfieldSizeOf,
  bitOffsetOf,
  hasNoSize,
  isModifierKind,
  RAW_VOID,
  type RawMember,
  type RawType,
  type RawVar,
  readRaw,
  statesSize,
} from './raw.ts';

/** Characters of names in a log; the kernel's log buffer cannot be larger by much. */
const MAX_PRINTED = 1 << 27;

/** Takes the log as the kernel writes it: pieces of text with their newlines. */
export type BtfLog = (text: string) => void;

/** One walk of the kernel's checks over a blob. Source: struct btf_verifier_env, kernel/bpf/btf.c. */
export class CheckEnv {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly header: BtfHeader;
  /** Byte offset of each type by id; index 0 is void. */
  readonly offsets: number[] = [-1];
  /** The checks are past the single types and follow references. */
  resolving = false;
  /** The type that log lines name. */
  logTypeId = 1;
  /** What each type resolves to and its size, filled while resolving. */
  resolvedIds = new Uint32Array(0);
  resolvedSizes = new Uint32Array(0);
  readonly #log: BtfLog | undefined;
  #lastLine = '';
  #printed = 0;

  constructor(bytes: Uint8Array, header: BtfHeader, log: BtfLog | undefined) {
    this.bytes = bytes;
    this.view = viewOf(bytes);
    this.header = header;
    this.#log = log;
  }

  get count(): number {
    return this.offsets.length;
  }

  type(id: number): RawType | undefined {
    if (id === 0) return RAW_VOID;
    const at = this.offsets[id];
    return at === undefined ? undefined : readRaw(this.view, at);
  }

  /** A word after the common three. */
  extra(type: RawType, word: number): number {
    return this.view.getUint32(type.at + 12 + word * 4, true);
  }

  member(type: RawType, index: number): RawMember {
    return {
      nameOff: this.extra(type, index * 3),
      type: this.extra(type, index * 3 + 1),
      packed: this.extra(type, index * 3 + 2),
    };
  }

  sectionVar(type: RawType, index: number): RawVar {
    return { type: this.extra(type, index * 3), offset: this.extra(type, index * 3 + 1), size: this.extra(type, index * 3 + 2) };
  }

  // names

  get #strings(): number {
    return this.header.hdrLen + this.header.strOff;
  }

  isNameOffset(offset: number): boolean {
    return offset <= BTF_MAX_NAME_OFFSET && offset < this.header.strLen;
  }

  isIdentifier(offset: number): boolean {
    return isValidIdentifier(this.bytes, this.#strings + offset);
  }

  isSectionName(offset: number): boolean {
    return isValidSection(this.bytes, this.#strings + offset);
  }

  /** The string at a valid offset, for the log. */
  text(offset: number): string {
    const text = textAt(this.bytes, this.#strings + offset, this.bytes.length) ?? '';
    this.#printed += text.length;
    if (this.#printed > MAX_PRINTED) throw new BtfError('the log is too long', { errno: 'ENOSPC' });
    return text;
  }

  /** Whether the string at a valid offset is empty. */
  isEmpty(offset: number): boolean {
    return this.bytes[this.#strings + offset] === 0;
  }

  /** Source: __btf_name_by_offset. */
  name(offset: number): string {
    if (offset === 0) return '(anon)';
    return offset < this.header.strLen ? this.text(offset) : '(invalid-name-offset)';
  }

  // sizes

  /** The type that decides the size, and the size; undefined without one. Source: btf_type_id_size. */
  sized(typeId: number): { id: number; type: RawType; size: number } | undefined {
    let id = typeId;
    let type = this.type(id);
    if (type === undefined || hasNoSize(type.kind)) return undefined;
    if (isModifierKind(type.kind) || type.kind === KIND.VAR) {
      id = this.resolvedIds[id]!;
      type = this.type(id);
      if (type === undefined || hasNoSize(type.kind)) return undefined;
    }
    if (statesSize(type.kind)) return { id, type, size: type.third };
    if (type.kind === KIND.ARRAY) return { id, type, size: this.resolvedSizes[id]! };
    return type.kind === KIND.PTR ? { id, type, size: 8 } : undefined;
  }

  // log

  get logs(): boolean {
    return this.#log !== undefined;
  }

  write(text: string): void {
    this.#log?.(text);
  }

  /** A line of its own that the kernel writes without a newline, then the refusal. */
  refuse(message: string, errno: BtfErrno = 'EINVAL'): never {
    this.write(message);
    throw new BtfError(message, { errno });
  }

  /** Source: __btf_verifier_log_type. */
  logType(type: RawType, message?: string, withDetails = true): void {
    if (!this.logs && message === undefined) return;
    const shown = withDetails ? ` ${details(this, type)}` : '';
    const reason = message === undefined ? '' : ` ${message}`;
    const kind = kindWord(BTF_KINDS[type.kind] ?? 'VOID');
    this.#line(`[${this.logTypeId}] ${kind} ${this.name(type.nameOff)}${shown}${reason}`);
  }

  /** Source: btf_verifier_log_member. */
  logMember(struct: RawType, member: RawMember, message?: string): void {
    if (!this.logs && message === undefined) return;
    if (this.resolving) this.logType(struct);
    const bitfield = struct.kindFlag ? ` bitfield_size=${bitfieldSizeOf(struct, member)}` : '';
    const reason = message === undefined ? '' : ` ${message}`;
    this.#line(
      `\t${this.name(member.nameOff)} type_id=${member.type}${bitfield} bits_offset=${bitOffsetOf(struct, member)}${reason}`,
    );
  }

  /** Source: btf_verifier_log_vsi. */
  logSectionVar(section: RawType, entry: RawVar, message?: string): void {
    if (!this.logs && message === undefined) return;
    if (this.resolving) this.logType(section);
    const reason = message === undefined ? '' : ` ${message}`;
    this.#line(`\t type_id=${entry.type} offset=${entry.offset} size=${entry.size}${reason}`);
  }

  #line(text: string): void {
    this.#lastLine = text;
    this.write(`${text}\n`);
  }

  /** The refusal that the last line is about. */
  error(errno: BtfErrno): BtfError {
    return new BtfError(this.#lastLine.trim(), { errno, typeId: this.logTypeId });
  }

  refuseType(type: RawType, message: string, errno: BtfErrno = 'EINVAL', withDetails = true): never {
    this.logType(type, message, withDetails);
    throw this.error(errno);
  }

  refuseMember(struct: RawType, member: RawMember, message: string): never {
    this.logMember(struct, member, message);
    throw this.error('EINVAL');
  }

  refuseSectionVar(section: RawType, entry: RawVar, message: string): never {
    this.logSectionVar(section, entry, message);
    throw this.error('EINVAL');
  }
}
