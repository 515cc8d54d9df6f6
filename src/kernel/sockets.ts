import type { HostCall, PartKey } from '../contracts/host_call.ts';
import { KernelObjects } from './objects/kernel_objects.ts';

/** Address bytes in network order; none: any address. */
export interface SocketAddress {
  readonly address: readonly number[];
  /** host order; 0: any port */
  readonly port: number;
}

export interface SocketSpec {
  readonly protocol: 'tcp' | 'udp';
  readonly family: 4 | 6;
  readonly local: SocketAddress;
  /** absent: it listens, or is not connected */
  readonly remote?: SocketAddress;
  readonly mark?: number;
  readonly priority?: number;
  readonly uid?: number;
}

const AF_INET = 2;
const AF_INET6 = 10;
const SOCK_STREAM = 1;
const SOCK_DGRAM = 2;
export const IPPROTO_TCP = 6;
export const IPPROTO_UDP = 17;
const TCP_ESTABLISHED = 1;
const TCP_CLOSE = 7;
export const TCP_LISTEN = 10;
const INITIAL_WINDOW = 10;

/** `struct bpf_sock`, include/uapi/linux/bpf.h: what programs see of a socket. */
const SOCK_BYTES = 80;
const AT = { family: 4, type: 8, protocol: 12, mark: 16, priority: 20, src4: 24, src6: 28, srcPort: 44, dstPort: 48 } as const;
const AT_BEHIND = { dst4: 52, dst6: 56, state: 72, queue: 76 } as const;
/** `struct bpf_tcp_sock` begins with the congestion window. */
const TCP_SOCK_BYTES = 112;

/**
 * A socket. Programs see it in three shapes that the kernel derives from one address and we keep apart: `struct bpf_sock`,
 * `struct bpf_tcp_sock`, and the kernel's own struct.
 */
export class Socket {
  readonly spec: SocketSpec;
  /** offset of what programs see as `struct bpf_sock` */
  readonly offset: number;
  /** offset of its `struct bpf_tcp_sock`; 0 for UDP */
  readonly tcp: number;
  /** offset of its struct in the kernel, such as `struct tcp6_sock` */
  readonly kernel: number;
  readonly state: number;
  readonly cookie: bigint;
  /** references that helpers took, for sockets that RCU does not protect */
  references = 0;

  constructor(objects: KernelObjects, spec: SocketSpec, cookie: bigint) {
    const isTcp = spec.protocol === 'tcp';
    this.spec = spec;
    this.cookie = cookie;
    this.state = spec.remote !== undefined ? TCP_ESTABLISHED : isTcp ? TCP_LISTEN : TCP_CLOSE;
    this.offset = objects.create('bpf_sock', { what: `${spec.protocol} socket`, size: SOCK_BYTES });
    this.tcp = isTcp ? objects.create('bpf_tcp_sock', { size: TCP_SOCK_BYTES }) : 0;
    const struct = `${spec.protocol}${spec.family === 6 ? '6' : ''}_sock`;
    this.kernel = objects.create(struct, { what: struct });
    this.#fill(objects);
  }

  get isTcp(): boolean {
    return this.spec.protocol === 'tcp';
  }

  get isListener(): boolean {
    return this.state === TCP_LISTEN;
  }

  /** SOCK_RCU_FREE: listeners and UDP sockets are found without taking a reference. */
  get isRcuFreed(): boolean {
    return this.isListener || !this.isTcp;
  }

  #fill(objects: KernelObjects): void {
    const { memory } = objects;
    const { spec, offset } = this;
    const word = (at: number, value: number): void => memory.storeI32(offset + at, value);
    word(AT.family, spec.family === 4 ? AF_INET : AF_INET6);
    word(AT.type, this.isTcp ? SOCK_STREAM : SOCK_DGRAM);
    word(AT.protocol, this.isTcp ? IPPROTO_TCP : IPPROTO_UDP);
    word(AT.mark, spec.mark ?? 0);
    word(AT.priority, spec.priority ?? 0);
    word(AT.srcPort, spec.local.port);
    memory.u8.set(spec.local.address, offset + (spec.family === 4 ? AT.src4 : AT.src6));
    memory.u8.set(spec.remote?.address ?? [], offset + (spec.family === 4 ? AT_BEHIND.dst4 : AT_BEHIND.dst6));
    const port = spec.remote?.port ?? 0;
    memory.u8.set([port >> 8, port & 0xff], offset + AT.dstPort);
    word(AT_BEHIND.state, this.state);
    word(AT_BEHIND.queue, -1);
    if (this.tcp !== 0) memory.storeI32(this.tcp, INITIAL_WINDOW);
    // struct sock stands at the start of the kernel's struct
    const field = (path: string, value: number): void => objects.field('sock', path).set(this.kernel, value);
    field('__sk_common.skc_family', spec.family === 4 ? AF_INET : AF_INET6);
    field('__sk_common.skc_state', this.state);
    field('__sk_common.skc_num', spec.local.port);
    field('__sk_common.skc_dport', ((port & 0xff) << 8) | (port >> 8));
    field('__sk_common.skc_refcnt.refs.counter', 1);
    field('sk_type', this.isTcp ? SOCK_STREAM : SOCK_DGRAM);
    field('sk_protocol', this.isTcp ? IPPROTO_TCP : IPPROTO_UDP);
    field('sk_mark', spec.mark ?? 0);
    field('sk_priority', spec.priority ?? 0);
  }
}

/** What a packet says of its ends, as in `struct bpf_sock_tuple`. */
export interface Tuple {
  readonly source: SocketAddress;
  readonly destination: SocketAddress;
}

const covers = (end: SocketAddress, packet: SocketAddress): boolean =>
  (end.port === 0 || end.port === packet.port) && end.address.every((byte, i) => byte === packet.address[i]);

/** The sockets of the one network namespace; empty until some are added. */
export class Sockets {
  readonly #objects: KernelObjects;
  readonly #all: Socket[] = [];
  readonly #byOffset = new Map<number, Socket>();
  readonly #foreign = new Map<number, bigint>();

  constructor({ memory, btf }: Pick<HostCall, 'memory' | 'btf'>) {
    this.#objects = new KernelObjects(memory, btf);
  }

  add(spec: SocketSpec): Socket {
    const socket = new Socket(this.#objects, spec, BigInt(this.#all.length + this.#foreign.size + 1));
    this.#all.push(socket);
    for (const offset of [socket.offset, socket.tcp, socket.kernel]) if (offset !== 0) this.#byOffset.set(offset, socket);
    return socket;
  }

  /** A number for a socket; those that were not added here have one, too (the one of a test run). */
  cookieOf(offset: number): bigint {
    const known = this.at(offset)?.cookie ?? this.#foreign.get(offset);
    if (known !== undefined) return known;
    const cookie = BigInt(this.#all.length + this.#foreign.size + 1);
    this.#foreign.set(offset, cookie);
    return cookie;
  }

  /** The socket that one of these offsets is a shape of; null for NULL. */
  at(offset: number): Socket | null {
    return this.#byOffset.get(offset) ?? null;
  }

  /** What programs took references to and did not give back; nobody holds any from now on. */
  takeHeld(): string[] {
    const held = this.#all.filter(({ references }) => references > 0);
    for (const socket of held) socket.references = 0;
    return held.map(({ spec }) => `a ${spec.protocol} socket`);
  }

  /** The socket that takes a packet: a connected one before one that takes any. Source: __inet_lookup, __udp4_lib_lookup. */
  find(protocol: SocketSpec['protocol'], family: SocketSpec['family'], { source, destination }: Tuple): Socket | null {
    const takes = ({ spec }: Socket): boolean =>
      spec.protocol === protocol &&
      spec.family === family &&
      covers(spec.local, destination) &&
      (spec.remote === undefined || covers(spec.remote, source));
    const found = this.#all.filter(takes);
    return found.find(({ spec }) => spec.remote !== undefined) ?? found[0] ?? null;
  }
}

export const SOCKETS: PartKey<Sockets> = { name: 'sockets', create: (call) => new Sockets(call) };
