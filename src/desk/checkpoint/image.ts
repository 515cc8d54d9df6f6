/**
 * The records that bpf_cr writes a ring down in, 40 bytes each, little endian:
 *
 *     0 type    4 descriptor of the ring    8 end (a byte)    16 description, 24 bytes
 *     setup     16 flags  20 sq_entries  24 cq_entries  28 sq_thread_cpu  32 sq_thread_idle  36 wq_fd
 *     eventfd   16 descriptor  20 async (a byte)
 *     reg_fd    16 descriptor  24 index, 8 bytes
 *     reg_buf   16 address     24 length     32 index, 8 bytes each
 */
export const RECORD_BYTES = 40;

export const RECORD_TYPES = ['DUMP_SETUP', 'DUMP_EVENTFD', 'DUMP_REG_FD', 'DUMP_REG_BUF'] as const;

/** One record over bytes of its own. */
export class DumpRecord {
  readonly bytes: Uint8Array;
  readonly #view: DataView;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes.slice(0, RECORD_BYTES);
    this.#view = new DataView(this.bytes.buffer);
  }

  get type(): number {
    return this.u32(0);
  }

  get ringFd(): number {
    return this.s32(4);
  }

  get end(): boolean {
    return this.bytes[8] !== 0;
  }

  set end(value: boolean) {
    this.bytes[8] = value ? 1 : 0;
  }

  u32(at: number): number {
    return this.#view.getUint32(at, true);
  }

  s32(at: number): number {
    return this.#view.getInt32(at, true);
  }

  u64(at: number): bigint {
    return this.#view.getBigUint64(at, true);
  }

  byte(at: number): number {
    return this.bytes[at]!;
  }

  /** As print_desc shows it. */
  text(): string {
    const lines: (string | readonly [string, number | bigint | boolean])[] = [
      `${RECORD_TYPES[this.type % RECORD_TYPES.length]}:\n\tio_uring_fd: ${this.ringFd}\n\tend: ${this.end}\n`,
    ];
    switch (RECORD_TYPES[this.type]) {
      case 'DUMP_SETUP':
        lines.push(['flags', this.u32(16)], ['sq_entries', this.u32(20)], ['cq_entries', this.u32(24)]);
        lines.push(['sq_thread_cpu', this.s32(28)], ['sq_thread_idle', this.s32(32)], ['wq_fd', this.s32(36)]);
        break;
      case 'DUMP_EVENTFD':
        lines.push(['eventfd', this.s32(16)], ['async', this.byte(20) !== 0]);
        break;
      case 'DUMP_REG_FD':
        lines.push(['reg_fd', this.s32(16)], ['index', this.u64(24)]);
        break;
      case 'DUMP_REG_BUF':
        lines.push(['addr', this.u64(16)], ['len', this.u64(24)], ['index', this.u64(32)]);
        break;
      default:
        lines.push('\t\t{Unknown}\n');
    }
    return lines.map((line) => (typeof line === 'string' ? line : `\t\t${line[0]}: ${line[1]}\n`)).join('');
  }
}
