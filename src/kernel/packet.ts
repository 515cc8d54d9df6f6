import type { HostPacket, SkbFields, XdpFields } from '../contracts/host_packet.ts';
import type { GuestMemory } from './memory.ts';

export interface PacketShape {
  readonly kind: 'xdp' | 'skb';
  readonly data: Uint8Array;
  /** bytes in front of the data that the program may grow into */
  readonly headroom: number;
  /** bytes behind it */
  readonly tailroom: number;
  /** bytes of `data` that are linear; the others are in fragments */
  readonly linear?: number;
  /** metadata in front of the data */
  readonly meta?: Uint8Array;
  readonly maxLength: number;
}

/** Metadata of a frame is a multiple of 4 and at most this long. Source: xdp_metalen_invalid, include/net/xdp.h. */
const XDP_META_LIMIT = 255;
const FRAGMENT_BYTES = 4096;

/**
 * Packet bytes in one allocation of guest memory; only metadata and linear data are addressable in it, so a read past data_end
 * or into the headroom is found. Bytes in fragments are out of a program's direct reach.
 */
export class Packet implements HostPacket {
  readonly kind: 'xdp' | 'skb';
  readonly maxLength: number;
  contextOffset = 0;
  skb: SkbFields | null = null;
  xdp: XdpFields | null = null;
  readonly #memory: GuestMemory;
  #buffer = 0;
  #capacity = 0;
  /** of `data` from the start of the buffer */
  #head = 0;
  #linear = 0;
  #meta = 0;
  #fragments: Uint8Array;

  constructor(memory: GuestMemory, shape: PacketShape) {
    this.kind = shape.kind;
    this.maxLength = shape.maxLength;
    this.#memory = memory;
    const linear = Math.min(shape.linear ?? shape.data.length, shape.data.length);
    const meta = shape.meta ?? new Uint8Array(0);
    this.#fragments = shape.data.slice(linear);
    this.#place(shape.headroom, meta, shape.data.subarray(0, linear), shape.tailroom);
  }

  get length(): number {
    return this.#linear + this.#fragments.length;
  }

  get linearLength(): number {
    return this.#linear;
  }

  get headroom(): number {
    return this.#head - this.#meta;
  }

  get tailroom(): number {
    return this.#capacity - this.#head - this.#linear;
  }

  get metaLength(): number {
    return this.#meta;
  }

  get hasFragments(): boolean {
    return this.#fragments.length > 0;
  }

  get dataOffset(): number {
    return this.#buffer + this.#head;
  }

  /** A copy of all bytes. */
  bytes(): Uint8Array {
    const all = new Uint8Array(this.length);
    all.set(this.#view(0, this.#linear));
    all.set(this.#fragments, this.#linear);
    return all;
  }

  /** A copy of the metadata. */
  meta(): Uint8Array {
    return this.#view(-this.#meta, this.#meta).slice();
  }

  /** Gives the memory back. */
  release(): void {
    if (this.#buffer !== 0) this.#memory.free(this.#buffer);
    this.#buffer = 0;
  }

  read(position: number, size: number): Uint8Array | null {
    if (position < 0 || size < 0 || position + size > this.length) return null;
    const out = new Uint8Array(size);
    const inLinear = Math.max(0, Math.min(size, this.#linear - position));
    if (inLinear > 0) out.set(this.#view(position, inLinear));
    if (inLinear < size) {
      const from = position + inLinear - this.#linear;
      out.set(this.#fragments.subarray(from, from + size - inLinear), inLinear);
    }
    return out;
  }

  write(position: number, bytes: Uint8Array): boolean {
    if (position < 0 || position + bytes.length > this.length) return false;
    const inLinear = Math.max(0, Math.min(bytes.length, this.#linear - position));
    if (inLinear > 0) this.#view(position, inLinear).set(bytes.subarray(0, inLinear));
    if (inLinear < bytes.length) this.#fragments.set(bytes.subarray(inLinear), position + inLinear - this.#linear);
    return true;
  }

  linear(position: number, size: number): number {
    return position >= 0 && position + size <= this.#linear ? this.dataOffset + position : 0;
  }

  moveHead(delta: number): boolean {
    if (delta > this.#linear || -delta > this.headroom) return false;
    const meta = this.meta();
    this.#head += delta;
    this.#linear -= delta;
    this.#open();
    this.#view(-meta.length, meta.length).set(meta);
    if (delta < 0) this.#view(0, -delta).fill(0);
    if (this.skb !== null) {
      this.skb.macHeader -= delta;
      this.skb.networkHeader -= delta;
      this.skb.transportHeader -= delta;
    }
    return true;
  }

  moveTail(delta: number): boolean {
    if (this.#fragments.length > 0) return this.#moveFragmentTail(delta);
    if (delta > this.tailroom || this.#linear + delta < 0) return false;
    this.#linear += delta;
    this.#open();
    if (delta > 0) this.#view(this.#linear - delta, delta).fill(0);
    return true;
  }

  moveMeta(delta: number): boolean {
    const meta = this.#meta - delta;
    if (meta < 0 || meta > XDP_META_LIMIT || meta % 4 !== 0 || meta > this.#head) return false;
    this.#meta = meta;
    this.#open();
    return true;
  }

  resizeAt(position: number, delta: number): boolean {
    if (position < 0 || position > this.#linear) return false;
    if (delta < 0 && position - delta > this.#linear) return false;
    if (delta > this.headroom && !this.reallocate(delta, this.tailroom)) return false;
    const front = this.read(0, position)!;
    this.#head -= delta;
    this.#linear += delta;
    this.#open();
    this.#view(0, position).set(front);
    if (delta > 0) this.#view(position, delta).fill(0);
    const { skb } = this;
    if (skb !== null) {
      if (skb.transportHeader === skb.networkHeader) return true;
      skb.transportHeader += delta;
    }
    return true;
  }

  pull(size: number): boolean {
    if (size <= this.#linear) return true;
    if (size > this.length) return false;
    const more = this.#fragments.slice(0, size - this.#linear);
    if (more.length > this.tailroom && !this.reallocate(this.headroom, more.length)) return false;
    const at = this.#linear;
    this.#linear += more.length;
    this.#open();
    this.#view(at, more.length).set(more);
    this.#fragments = this.#fragments.slice(more.length);
    return true;
  }

  reallocate(headroom: number, tailroom: number): boolean {
    const old = this.#buffer;
    const data = this.read(0, this.#linear)!;
    const meta = this.meta();
    if (!this.#place(headroom, meta, data, tailroom)) return false;
    this.#memory.free(old);
    return true;
  }

  #place(headroom: number, meta: Uint8Array, linear: Uint8Array, tailroom: number): boolean {
    const head = headroom + meta.length;
    const capacity = Math.ceil((head + linear.length + tailroom) / 8) * 8;
    const buffer = this.#memory.allocate(capacity, { what: this.kind === 'xdp' ? 'XDP frame' : 'data of the skb' });
    if (buffer === 0) return false;
    this.#buffer = buffer;
    this.#capacity = head + linear.length + tailroom;
    this.#head = head;
    this.#meta = meta.length;
    this.#linear = linear.length;
    this.#open();
    this.#view(-meta.length, meta.length).set(meta);
    this.#view(0, linear.length).set(linear);
    return true;
  }

  #moveFragmentTail(delta: number): boolean {
    const size = this.#fragments.length + delta;
    const last = this.#fragments.length % FRAGMENT_BYTES || FRAGMENT_BYTES;
    if (delta > FRAGMENT_BYTES - last) return false;
    if (size < 0) {
      this.#fragments = new Uint8Array(0);
      return this.moveTail(size);
    }
    const fragments = new Uint8Array(size);
    fragments.set(this.#fragments.subarray(0, size));
    this.#fragments = fragments;
    return true;
  }

  /** Makes exactly metadata and linear data addressable. */
  #open(): void {
    const start = this.#buffer;
    const end = start + Math.ceil(this.#capacity / 8) * 8;
    this.#memory.setWindow(start, end, start + this.#head - this.#meta, this.#meta + this.#linear);
  }

  #view(position: number, size: number): Uint8Array {
    return this.#memory.u8.subarray(this.dataOffset + position, this.dataOffset + position + size);
  }
}
