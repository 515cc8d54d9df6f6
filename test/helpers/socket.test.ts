import { describe, expect, it } from 'vitest';
import { SOCKETS, type SocketSpec, type Sockets } from '../../src/kernel/sockets.ts';
import { profileWith, runKernelText } from '../kernel/program.ts';
import { print } from '../kfuncs/run/print.ts';
import { TestHost } from './host.ts';

const LISTENER: SocketSpec = { protocol: 'tcp', family: 4, local: { address: [], port: 80 } };
const CONNECTED: SocketSpec = {
  protocol: 'tcp',
  family: 4,
  local: { address: [10, 0, 0, 2], port: 80 },
  remote: { address: [10, 0, 0, 1], port: 4000 },
  mark: 7,
};
const UDP6: SocketSpec = { protocol: 'udp', family: 6, local: { address: [], port: 53 } };

const tuple4 = (sport: number, dport: number): Uint8Array =>
  Uint8Array.of(10, 0, 0, 1, 10, 0, 0, 2, sport >> 8, sport & 255, dport >> 8, dport & 255);
const tuple6 = (dport: number): Uint8Array => {
  const bytes = new Uint8Array(36);
  bytes.set([dport >> 8, dport & 255], 34);
  return bytes;
};

class Bench extends TestHost {
  override btf = profileWith().btf;
  readonly sockets: Sockets = this.part(SOCKETS);
  readonly listener = this.sockets.add(LISTENER);
  readonly connected = this.sockets.add(CONNECTED);
  readonly udp = this.sockets.add(UDP6);

  look(protocol: string, tuple: Uint8Array, netns = -1n, flags = 0): string {
    const args = [0, this.place(tuple), tuple.length, netns, flags];
    return this.nameOf(this.run(`bpf_sk_lookup_${protocol}`, args));
  }

  nameOf(result: bigint): string {
    const address = BigInt.asUintN(64, result);
    const names = ['listener', 'connected', 'udp'] as const;
    return address === 0n ? 'none' : (names.find((name) => this.addressOf(this[name].offset) === address) ?? 'another');
  }
}

describe('looking a socket up', () => {
  it.each([
    ['a connected socket comes first', 'tcp', tuple4(4000, 80), 'connected'],
    ['a listener takes the others', 'tcp', tuple4(4001, 80), 'listener'],
    ['nobody listens there', 'tcp', tuple4(4000, 81), 'none'],
    ['another protocol', 'udp', tuple4(4000, 80), 'none'],
    ['another family', 'tcp', tuple6(80), 'none'],
    ['UDP over IPv6', 'udp', tuple6(53), 'udp'],
    ['no tuple', 'tcp', new Uint8Array(13), 'none'],
  ])('%s', (_rule, protocol, tuple, expected) => {
    expect(new Bench().look(protocol, tuple)).toBe(expected);
  });

  it.each([
    ['the own network namespace is a negative number of 32 bits', 0xffffffffn, 0, 'listener'],
    ['there is no other network namespace', 0n, 0, 'none'],
    ['there are no flags', -1n, 1, 'none'],
  ])('%s', (_rule, netns, flags, expected) => {
    expect(new Bench().look('tcp', tuple4(1, 80), netns, flags)).toBe(expected);
  });

  it('takes a reference of a connected socket alone', () => {
    const bench = new Bench();
    for (const port of [4000, 4001]) bench.look('tcp', tuple4(port, 80));
    expect([bench.connected.references, bench.listener.references]).toEqual([1, 0]);
    for (const { offset } of [bench.connected, bench.listener]) bench.run('bpf_sk_release', [bench.addressOf(offset)]);
    expect([bench.connected.references, bench.listener.references]).toEqual([0, 0]);
  });
});

describe('seeing a socket otherwise', () => {
  it.each([
    ['bpf_sk_fullsock', 'connected', 'offset'],
    ['bpf_tcp_sock', 'connected', 'tcp'],
    ['bpf_tcp_sock', 'udp', null],
    ['bpf_get_listener_sock', 'listener', 'offset'],
    ['bpf_get_listener_sock', 'connected', null],
    ['bpf_skc_to_tcp_sock', 'listener', 'kernel'],
    ['bpf_skc_to_tcp_sock', 'udp', null],
    ['bpf_skc_to_tcp6_sock', 'connected', null],
    ['bpf_skc_to_udp6_sock', 'udp', 'kernel'],
    ['bpf_skc_to_tcp_timewait_sock', 'connected', null],
    ['bpf_skc_to_unix_sock', 'udp', null],
  ] as const)('%s of %s', (helper, which, shape) => {
    const bench = new Bench();
    const socket = bench[which];
    const expected = shape === null ? 0n : bench.addressOf(socket[shape]);
    expect(BigInt.asUintN(64, bench.run(helper, [bench.addressOf(socket.offset)]))).toBe(expected);
  });

  it('the socket of a test run is full, and of no protocol', () => {
    const bench = new Bench();
    const sk = bench.memory.allocate(80, { what: 'socket' });
    bench.setPacket({ kind: 'skb', data: new Uint8Array(20) }, { sk });
    const helpers = ['bpf_sk_fullsock', 'bpf_tcp_sock', 'bpf_get_listener_sock', 'bpf_skc_to_tcp_sock'];
    const seen = helpers.map((helper) => BigInt.asUintN(64, bench.run(helper, [bench.addressOf(sk)])));
    expect(seen).toEqual([bench.addressOf(sk), 0n, 0n, 0n]);
    const cookie = bench.run('bpf_get_socket_cookie', [0], 'bpf_get_socket_cookie_proto');
    expect([cookie, bench.run('bpf_get_socket_cookie', [bench.addressOf(sk)], 'bpf_get_socket_ptr_cookie_proto')]).toEqual([
      4n,
      4n,
    ]);
    expect(bench.run('bpf_get_socket_uid', [0])).toBe(0n);
  });

  it('a packet without socket', () => {
    const bench = new Bench();
    bench.setPacket({ kind: 'skb', data: new Uint8Array(20) });
    const asked = [bench.run('bpf_get_socket_cookie', [0], 'bpf_get_socket_cookie_proto'), bench.run('bpf_get_socket_uid', [0])];
    expect([...asked, bench.run('bpf_skb_under_cgroup', [0, 0, 0]), bench.run('bpf_skb_cgroup_classid', [0])]).toEqual([
      0n,
      65534n,
      -2n,
      0n,
    ]);
  });
});

describe('a program', () => {
  const program = `
    .section "tc"
    .program p
    r2 = 0x0200000a0100000a ll; *(u64 *)(r10 - 16) = r2
    r2 = 0x5000a00f; *(u32 *)(r10 - 8) = r2
    r2 = r10; r2 += -16; w3 = 12; r4 = -1; r5 = 0; call bpf_sk_lookup_tcp
    if r0 == 0 goto out
    r6 = r0; r7 = *(u32 *)(r6 + 16); r8 = *(u16 *)(r6 + 48)
    r1 = r6; call bpf_sk_release
    ${print('r7')}; ${print('r8')}
    out:
    r0 = 0; exit`;

  it('finds a socket, reads it and gives it back', () => {
    const world = (_: unknown, machine: { part: (key: typeof SOCKETS) => Sockets }): void =>
      void machine.part(SOCKETS).add(CONNECTED);
    expect(runKernelText(program, { world }).printk).toEqual(['7', String(0xa00f)]);
  });

  it('finds none where there is none', () => {
    expect(runKernelText(program).printk).toEqual([]);
  });
});

describe('bpf_check_mtu', () => {
  it.each([
    ['skb', 0, 0, 0, 0n, 0n, 65536],
    ['skb', 1, 65536, 0, 0n, 0n, 65536],
    ['skb', 0, 65536, 1, 0n, 1n, 65536],
    ['skb', 0, 65536, -1, 0n, 0n, 65536],
    ['skb', 2, 0, 0, 0n, -19n, 0],
    ['skb', 0, 0, 0, 2n, -22n, 0],
    ['skb', 0, 5, 0, 1n, -22n, 5],
    ['xdp', 0, 70000, 0, 0n, 1n, 65536],
    ['xdp', 0, 0, 0, 1n, -22n, 0],
  ] as const)('%s on device %i, length %i and %i more, flags %d', (kind, ifindex, given, more, flags, result, mtu) => {
    const bench = new Bench();
    bench.setPacket({ kind, data: new Uint8Array(60) });
    const at = bench.place(new Uint8Array(new Uint32Array([given]).buffer));
    expect(bench.run('bpf_check_mtu', [0, ifindex, at, more, flags], `bpf_${kind}_check_mtu_proto`)).toBe(result);
    expect(new DataView(bench.at(at, 4).buffer).getUint32(0, true)).toBe(mtu);
  });
});
