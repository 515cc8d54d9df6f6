import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { HostMap } from '../../src/contracts/host_map.ts';
import type { SkbFields } from '../../src/contracts/host_packet.ts';
import { csumFold, csumPartial, replace2, replace4, replaceByDiff } from '../../src/kernel/checksum_math.ts';
import type { Packet } from '../../src/kernel/packet.ts';
import { TestHost } from './host.ts';

const [EFAULT, EINVAL, ENOTSUPP, ENOMEM, EACCES] = [-14n, -22n, -524n, -12n, -13n];
const htons = (value: number): number => ((value & 0xff) << 8) | (value >>> 8);

/** Ethernet, IPv4 without options, 8 bytes of UDP, payload */
function frame(payload = 'payload!'): Uint8Array {
  const bytes = new Uint8Array(14 + 20 + 8 + payload.length);
  bytes.set([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0x08, 0x00]);
  bytes.set([0x45, 0, 0, 28 + payload.length, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2], 14);
  const check = csumFold(csumPartial(bytes.subarray(14, 34), 0));
  bytes.set([check & 0xff, check >>> 8], 24);
  bytes.set([0x30, 0x39, 0x00, 0x35], 34);
  bytes.set(
    Uint8Array.from(payload, (char) => char.charCodeAt(0)),
    42,
  );
  return bytes;
}

function withSkb(fields: Partial<SkbFields> = {}, linear?: number): { host: TestHost; packet: Packet; skb: SkbFields } {
  const host = new TestHost();
  const data = frame();
  const packet = host.setPacket({ kind: 'skb', data, ...(linear === undefined ? {} : { linear }) }, fields);
  return { host, packet, skb: packet.skb! };
}

const ipHeaderIsValid = (packet: Packet, at = 14): boolean => csumFold(csumPartial(packet.read(at, 20)!, 0)) === 0;

describe('checksum arithmetic', () => {
  it('is that of RFC 1071', () => {
    const bytes = Uint8Array.of(0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7);
    expect(htons(csumFold(csumPartial(bytes, 0)))).toBe(~0xddf2 & 0xffff);
    expect(csumPartial(new Uint8Array(0), 5)).toBe(5);
  });

  it('updates a checksum as if it were computed anew', () => {
    const half = fc.integer({ min: 0, max: 0xffff });
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 20, maxLength: 20 }), half, fc.nat(3), (bytes, to, slot) => {
        fc.pre(bytes.some((byte) => byte !== 0));
        const view = new DataView(bytes.buffer);
        view.setUint16(10, 0, true);
        const check = csumFold(csumPartial(bytes, 0));
        const from = view.getUint16(slot * 2, true);
        view.setUint16(slot * 2, to, true);
        const whole = csumFold(csumPartial(bytes, 0));
        const diff = (~from & 0xffff) + to;
        for (const updated of [replace2(check, from, to), replace4(check, from, to), replaceByDiff(check, diff)]) {
          expect(updated % 0xffff).toBe(whole % 0xffff);
        }
      }),
    );
  });
});

describe('bytes of a socket buffer', () => {
  it('are copied out, from fragments too; outside of it the buffer is zeroed', () => {
    const { host } = withSkb({}, 20);
    const out = host.room(8);
    expect(host.run('bpf_skb_load_bytes', [0, 18, out, 8], 'bpf_skb_load_bytes_proto')).toBe(0n);
    expect([...host.at(out, 8)]).toEqual([0, 0, 0, 0, 64, 17, ...frame().subarray(24, 26)]);
    expect(host.run('bpf_skb_load_bytes', [0, 43, out, 8], 'bpf_skb_load_bytes_proto')).toBe(EFAULT);
    expect([...host.at(out, 8)]).toEqual(new Array(8).fill(0));
    expect(host.run('bpf_skb_load_bytes', [0, 0x8000_0000, out, 1], 'bpf_skb_load_bytes_proto')).toBe(EFAULT);
  });

  it('are copied out relative to a header', () => {
    const { host } = withSkb();
    const out = host.room(4);
    const relative = 'bpf_skb_load_bytes_relative_proto';
    expect(host.run('bpf_skb_load_bytes_relative', [0, 12, out, 4, 1], relative)).toBe(0n);
    expect([...host.at(out, 4)]).toEqual([10, 0, 0, 1]);
    expect(host.run('bpf_skb_load_bytes_relative', [0, 12, out, 2, 0], relative)).toBe(0n);
    expect([...host.at(out, 2)]).toEqual([8, 0]);
    expect(host.run('bpf_skb_load_bytes_relative', [0, 0, out, 4, 2], relative)).toBe(EFAULT);
    expect(host.run('bpf_skb_load_bytes_relative', [0, 0x10000, out, 4, 0], relative)).toBe(EFAULT);
  });

  it('are written; the packet becomes linear up to there', () => {
    const { host, packet } = withSkb({ hash: 5, hashValid: true }, 20);
    expect(host.run('bpf_skb_store_bytes', [0, 30, host.place(Uint8Array.of(10, 9, 9, 9)), 4, 2])).toBe(0n);
    expect([...packet.read(28, 6)!]).toEqual([0, 1, 10, 9, 9, 9]);
    expect(packet.linearLength).toBe(34);
    expect(packet.skb!.hashValid).toBe(false);
    expect(host.run('bpf_skb_store_bytes', [0, 49, host.room(4), 4, 0])).toBe(EFAULT);
    expect(host.run('bpf_skb_store_bytes', [0, 0, host.room(4), 4, 4])).toBe(EINVAL);
  });

  it('keep a complete checksum complete when asked to', () => {
    const data = frame();
    const { host, packet, skb } = withSkb({ ipSummed: 2, csum: csumPartial(data, 0) });
    expect(host.run('bpf_skb_store_bytes', [0, 17, host.place(Uint8Array.of(1, 2, 3)), 3, 1])).toBe(0n);
    expect(csumFold(skb.csum)).toBe(csumFold(csumPartial(packet.bytes(), 0)));
  });

  it('are pulled', () => {
    const { host, packet } = withSkb({}, 20);
    expect(host.run('bpf_skb_pull_data', [0, 0], 'bpf_skb_pull_data_proto')).toBe(0n);
    expect(packet.linearLength).toBe(20);
    expect(host.run('bpf_skb_pull_data', [0, 40], 'bpf_skb_pull_data_proto')).toBe(0n);
    expect(packet.linearLength).toBe(40);
    expect(host.run('bpf_skb_pull_data', [0, 51], 'bpf_skb_pull_data_proto')).toBe(ENOMEM);
  });
});

describe('checksum helpers', () => {
  it('bpf_l3_csum_replace keeps the header valid', () => {
    const { host, packet } = withSkb();
    packet.write(22, Uint8Array.of(63));
    expect(ipHeaderIsValid(packet)).toBe(false);
    expect(host.run('bpf_l3_csum_replace', [0, 24, 64 | (17 << 8), 63 | (17 << 8), 2])).toBe(0n);
    expect(ipHeaderIsValid(packet)).toBe(true);
    packet.write(26, Uint8Array.of(192, 168, 1, 1));
    expect(host.run('bpf_l3_csum_replace', [0, 24, 0x0100000a, 0x0101a8c0, 4])).toBe(0n);
    expect(ipHeaderIsValid(packet)).toBe(true);
  });

  it.each<[string, bigint[], bigint]>([
    ['unknown flags', [24n, 0n, 0n, 0x10n], EINVAL],
    ['unknown size', [24n, 0n, 0n, 3n], EINVAL],
    ['difference with a from', [24n, 1n, 0n, 0n], EINVAL],
    ['odd offset', [25n, 0n, 0n, 2n], EFAULT],
    ['offset behind the packet', [50n, 0n, 0n, 2n], EFAULT],
    ['offset above 0xffff', [0x10000n, 0n, 0n, 2n], EFAULT],
  ])('bpf_l3_csum_replace refuses %s', (_rule, args, expected) => {
    expect(withSkb().host.run('bpf_l3_csum_replace', [0n, ...args])).toBe(expected);
  });

  it('bpf_l4_csum_replace leaves an absent checksum alone, and never writes 0 for one that is there', () => {
    const { host, packet } = withSkb();
    expect(host.run('bpf_l4_csum_replace', [0, 40, 1, 2, 0x20 | 2])).toBe(0n);
    expect([...packet.read(40, 2)!]).toEqual([0, 0]);
    expect(host.run('bpf_l4_csum_replace', [0, 40, 0, 0xffff, 0x20 | 0x40 | 2])).toBe(0n);
    expect([...packet.read(40, 2)!]).toEqual([0xff, 0xff]);
    packet.write(40, Uint8Array.of(0x34, 0x12));
    expect(host.run('bpf_l4_csum_replace', [0, 40, 0, 0x1234, 0])).toBe(0n);
    expect([...packet.read(40, 2)!]).toEqual([0, 0]);
    expect(host.run('bpf_l4_csum_replace', [0, 40, 0, 0, 0x100])).toBe(EINVAL);
  });

  it('bpf_l4_csum_replace corrects a complete checksum for the pseudo header', () => {
    const { host, skb } = withSkb({ ipSummed: 2, csum: 0x1000 });
    expect(host.run('bpf_l4_csum_replace', [0, 40, 0x0100000a, 0x0200000a, 0x10 | 4])).toBe(0n);
    expect(skb.csum).not.toBe(0x1000);
    const before = withSkb({ ipSummed: 2, csum: 0x1000 });
    before.host.run('bpf_l4_csum_replace', [0, 40, 0x0100000a, 0x0200000a, 4]);
    expect(before.skb.csum).toBe(0x1000);
  });

  it('bpf_csum_diff adds, removes and compares', () => {
    const host = new TestHost();
    const one = host.place(Uint8Array.of(1, 0, 0, 0));
    const two = host.place(Uint8Array.of(2, 0, 0, 0));
    expect(host.run('bpf_csum_diff', [0, 0, two, 4, 0])).toBe(2n);
    expect(host.run('bpf_csum_diff', [one, 4, two, 4, 0])).toBe(1n);
    expect(host.run('bpf_csum_diff', [two, 4, 0, 0, 5])).toBe(3n);
    expect(host.run('bpf_csum_diff', [one, 4, one, 4, 0])).toBe(0xffffn);
    expect(host.run('bpf_csum_diff', [0, 0, 0, 0, 0x1_0001])).toBe(2n);
  });

  it('bpf_csum_update and bpf_csum_level follow the state of the checksum', () => {
    const { host, skb } = withSkb({ ipSummed: 2, csum: 0xffffffff });
    expect(host.run('bpf_csum_update', [0, 2])).toBe(2n);
    skb.ipSummed = 0;
    expect(host.run('bpf_csum_update', [0, 2])).toBe(ENOTSUPP);
    const level = (step: number) => host.run('bpf_csum_level', [0, step]);
    expect(level(0)).toBe(EACCES);
    expect([level(1), level(0), level(1), level(1), level(1), level(1), level(0)]).toEqual([0n, 0n, 0n, 0n, 0n, 0n, 3n]);
    expect([level(2), level(0), level(3), level(0), level(4)]).toEqual([0n, 2n, 0n, EACCES, EINVAL]);
  });
});

describe('shape of a socket buffer', () => {
  it('bpf_skb_change_tail shortens and lengthens', () => {
    const { host, packet } = withSkb();
    const tail = (length: number, flags = 0) => host.run('bpf_skb_change_tail', [0, length, flags], 'bpf_skb_change_tail_proto');
    expect(tail(40)).toBe(0n);
    expect(packet.length).toBe(40);
    expect(tail(1000)).toBe(0n);
    expect([packet.length, packet.read(40, 960)!.every((byte) => byte === 0)]).toEqual([1000, true]);
    expect(tail(33)).toBe(EINVAL);
    expect(tail(16065)).toBe(EINVAL);
    expect(tail(100, 1)).toBe(EINVAL);
    packet.skb!.encapsulation = true;
    expect(tail(100)).toBe(ENOTSUPP);
  });

  it('bpf_skb_change_head adds a link header', () => {
    const { host, packet, skb } = withSkb();
    const head = (room: number) => host.run('bpf_skb_change_head', [0, room, 0], 'bpf_skb_change_head_proto');
    expect(head(200)).toBe(0n);
    expect([packet.length, packet.read(200, 2)![1], skb.macHeader, skb.networkHeader, skb.macLen]).toEqual([250, 2, 0, 214, 214]);
    expect(packet.read(0, 200)!.every((byte) => byte === 0)).toBe(true);
    expect(head(0x8000_0000)).toBe(EINVAL);
    expect(head(16000)).toBe(EINVAL);
  });

  it('bpf_skb_change_proto makes room for the longer header and takes it away', () => {
    const { host, packet, skb } = withSkb({ hash: 1, hashValid: true });
    const before = packet.bytes();
    expect(host.run('bpf_skb_change_proto', [0, htons(0x86dd), 0])).toBe(0n);
    expect([packet.length, skb.protocol, skb.networkHeader, skb.transportHeader, skb.hashValid]).toEqual([
      70,
      0x86dd,
      14,
      54,
      false,
    ]);
    expect([...packet.read(14, 20)!]).toEqual(new Array(20).fill(0));
    expect(host.run('bpf_skb_change_proto', [0, htons(0x86dd), 0])).toBe(ENOTSUPP);
    expect(host.run('bpf_skb_change_proto', [0, htons(0x0800), 0])).toBe(0n);
    expect(packet.bytes()).toEqual(before);
    expect(skb.transportHeader).toBe(34);
    expect(host.run('bpf_skb_change_proto', [0, htons(0x86dd), 1])).toBe(EINVAL);
  });

  it('bpf_skb_change_type stays among the ordinary types', () => {
    const { host, skb } = withSkb();
    expect([host.run('bpf_skb_change_type', [0, 3]), skb.pktType]).toEqual([0n, 3]);
    expect(host.run('bpf_skb_change_type', [0, 4])).toBe(EINVAL);
    skb.pktType = 6;
    expect(host.run('bpf_skb_change_type', [0, 0])).toBe(EINVAL);
  });
});

describe('bpf_skb_adjust_room', () => {
  const adjust = (host: TestHost, delta: number, mode: number, flags: bigint = 0n) =>
    host.run('bpf_skb_adjust_room', [0, delta, mode, flags], 'bpf_skb_adjust_room_proto');

  it('opens room behind the network or the link header', () => {
    const network = withSkb({ ipSummed: 1, csumLevel: 1 });
    expect(adjust(network.host, 8, 0)).toBe(0n);
    expect([network.packet.length, network.skb.transportHeader, network.skb.ipSummed]).toEqual([58, 42, 0]);
    expect([...network.packet.read(33, 10)!]).toEqual([2, 0, 0, 0, 0, 0, 0, 0, 0, 0x30]);
    const link = withSkb();
    expect(adjust(link.host, 8, 1)).toBe(0n);
    expect([...link.packet.read(13, 10)!]).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 0x45]);
  });

  it('gives an outer IPv6 and UDP header its place', () => {
    const { host, skb, packet } = withSkb();
    expect(adjust(host, 48, 1, (1n << 2n) | (1n << 4n))).toBe(0n);
    expect([packet.length, skb.encapsulation, skb.protocol, skb.networkHeader, skb.transportHeader]).toEqual([
      98,
      true,
      0x86dd,
      14,
      54,
    ]);
    expect(adjust(host, 20, 1, 1n << 1n)).toBe(-114n);
  });

  it('takes a header away', () => {
    const { host, packet, skb } = withSkb({ protocol: 0x86dd });
    expect(adjust(host, -16, 1, 1n << 7n)).toBe(0n);
    expect([packet.length, skb.protocol]).toEqual([34, 0x0800]);
  });

  it.each<[string, number, number, bigint, bigint]>([
    ['unknown flag', 8, 0, 1n << 9n, EINVAL],
    ['flag in the upper half', 8, 0, 1n << 40n, EINVAL],
    ['too much', 0x1000, 0, 0n, EFAULT],
    ['unknown mode', 8, 2, 0n, ENOTSUPP],
    ['both outer headers', 8, 1, 6n, EINVAL],
    ['both tunnels', 8, 1, 0x1an, EINVAL],
    ['inner link header too short', 8, 1, (1n << 1n) | (1n << 6n) | (13n << 56n), EINVAL],
    ['inner link header longer than the room', 8, 1, (1n << 1n) | (14n << 56n), EINVAL],
    ['decapsulation that grows', 8, 1, 1n << 7n, EINVAL],
    ['both decapsulations', -8, 1, 3n << 7n, EINVAL],
    ['less than the header left', -17, 1, 0n, ENOTSUPP],
    ['encapsulation that shrinks', -8, 1, 1n << 1n, EINVAL],
  ])('refuses %s', (_rule, delta, mode, flags, expected) => {
    expect(adjust(withSkb().host, delta, mode, flags)).toBe(expected);
  });

  it('knows IP only', () => {
    expect(adjust(withSkb({ protocol: 0x0806 }).host, 8, 0)).toBe(ENOTSUPP);
  });

  it('leaves UDP segments alone unless their size is fixed', () => {
    const gso = { gsoSize: 1000, gsoType: 1 << 17 };
    expect(adjust(withSkb(gso).host, 8, 0)).toBe(ENOTSUPP);
    const { host, skb } = withSkb(gso);
    expect(adjust(host, 8, 0, 1n)).toBe(0n);
    expect([skb.gsoSize, skb.gsoType & 2, skb.gsoSegs]).toEqual([1000, 2, 0]);
    const tcp = withSkb({ gsoSize: 1000, gsoType: 1 });
    expect(adjust(tcp.host, 8, 0)).toBe(0n);
    expect(tcp.skb.gsoSize).toBe(992);
  });
});

describe('VLAN tags', () => {
  it('go beside the packet first, then into it, and come back', () => {
    const { host, packet, skb } = withSkb();
    const before = packet.bytes();
    expect(host.run('bpf_skb_vlan_push', [0, htons(0x8100), 5])).toBe(0n);
    expect([skb.vlanPresent, skb.vlanTci, skb.protocol, packet.length]).toEqual([true, 5, 0x0800, 50]);
    expect(host.run('bpf_skb_vlan_push', [0, htons(0x88a8), 6])).toBe(0n);
    expect([skb.vlanProto, skb.vlanTci, skb.protocol, packet.length, skb.transportHeader]).toEqual([0x88a8, 6, 0x8100, 54, 38]);
    expect([...packet.read(12, 6)!]).toEqual([0x81, 0, 0, 5, 8, 0]);
    expect(host.run('bpf_skb_vlan_pop', [0])).toBe(0n);
    expect([skb.vlanPresent, skb.vlanProto, skb.vlanTci, skb.protocol]).toEqual([true, 0x8100, 5, 0x0800]);
    expect(packet.bytes()).toEqual(before);
    expect(host.run('bpf_skb_vlan_pop', [0])).toBe(0n);
    expect(skb.vlanPresent).toBe(false);
    expect(host.run('bpf_skb_vlan_pop', [0])).toBe(0n);
  });

  it('of an unknown kind are 802.1Q', () => {
    const { host, skb } = withSkb();
    host.run('bpf_skb_vlan_push', [0, 0, 1]);
    expect(skb.vlanProto).toBe(0x8100);
  });
});

describe('fields of a socket buffer', () => {
  it('hash is computed once, the same for the same flow', () => {
    const { host, skb } = withSkb();
    const hash = host.run('bpf_get_hash_recalc', [0]);
    expect([hash > 0n, skb.hashValid, host.run('bpf_get_hash_recalc', [0])]).toEqual([true, true, hash]);
    host.run('bpf_set_hash', [0, 0xffffffff]);
    expect(host.run('bpf_get_hash_recalc', [0])).toBe(0xffffffffn);
    host.run('bpf_set_hash_invalid', [0]);
    expect(host.run('bpf_get_hash_recalc', [0])).toBe(hash);
    const other = withSkb();
    other.packet.write(34, Uint8Array.of(0x30, 0x3a));
    expect(other.host.run('bpf_get_hash_recalc', [0])).not.toBe(hash);
  });

  it('time stamps have a kind', () => {
    const { host, skb } = withSkb();
    expect([host.run('bpf_skb_set_tstamp', [0, 5, 1]), skb.tstamp, skb.tstampType]).toEqual([0n, 5n, 1]);
    expect(host.run('bpf_skb_set_tstamp', [0, 0, 0])).toBe(0n);
    expect(host.run('bpf_skb_set_tstamp', [0, 0, 2])).toBe(EINVAL);
    expect(host.run('bpf_skb_set_tstamp', [0, 1, 3])).toBe(EINVAL);
    expect(withSkb({ protocol: 0x0806 }).host.run('bpf_skb_set_tstamp', [0, 1, 1])).toBe(-95n);
  });

  it.each([
    [0, 0n, 0],
    [1, 1n, 3],
    [2, 1n, 3],
    [3, 1n, 3],
  ])('congestion bits %i: marked %i', (bits, expected, after) => {
    const { host, packet } = withSkb();
    packet.write(15, Uint8Array.of(bits));
    packet.write(24, Uint8Array.of(0, 0));
    const check = csumFold(csumPartial(packet.read(14, 20)!, 0));
    packet.write(24, Uint8Array.of(check & 0xff, check >>> 8));
    expect(host.run('bpf_skb_ecn_set_ce', [0])).toBe(expected);
    expect([packet.read(15, 1)![0], ipHeaderIsValid(packet)]).toEqual([after, true]);
  });

  it('ids and realms are read', () => {
    const { host } = withSkb({ routeRealm: 3, cgroupClassid: 0x10001, cgroupId: 77n });
    expect(host.run('bpf_get_route_realm', [0])).toBe(3n);
    expect(host.run('bpf_get_cgroup_classid', [0])).toBe(0x10001n);
    expect(host.run('bpf_skb_cgroup_id', [0])).toBe(77n);
  });
});

describe('XDP frames', () => {
  const withFrame = (headroom = 64, meta = new Uint8Array(0)) => {
    const host = new TestHost();
    return { host, packet: host.setPacket({ kind: 'xdp', data: frame(), headroom, tailroom: 32, meta }) };
  };

  it('move their head between headroom and link header, metadata with it', () => {
    const { host, packet } = withFrame(64, Uint8Array.of(1, 2, 3, 4));
    expect(host.run('bpf_xdp_adjust_head', [0, -64])).toBe(0n);
    expect([packet.length, ...packet.meta()]).toEqual([114, 1, 2, 3, 4]);
    expect(host.run('bpf_xdp_adjust_head', [0, -1])).toBe(EINVAL);
    expect(host.run('bpf_xdp_adjust_head', [0, 101])).toBe(EINVAL);
    expect(host.run('bpf_xdp_adjust_head', [0, 100])).toBe(0n);
    expect([packet.length, ...packet.meta()]).toEqual([14, 1, 2, 3, 4]);
  });

  it('move their tail', () => {
    const { host, packet } = withFrame();
    expect(host.run('bpf_xdp_adjust_tail', [0, 33])).toBe(EINVAL);
    expect(host.run('bpf_xdp_adjust_tail', [0, 32])).toBe(0n);
    expect(packet.read(50, 32)!.every((byte) => byte === 0)).toBe(true);
    expect(host.run('bpf_xdp_adjust_tail', [0, -69])).toBe(EINVAL);
    expect(host.run('bpf_xdp_adjust_tail', [0, -68])).toBe(0n);
    expect(host.run('bpf_xdp_get_buff_len', [0])).toBe(14n);
  });

  it('move their metadata in words', () => {
    const { host, packet } = withFrame(300);
    expect(host.run('bpf_xdp_adjust_meta', [0, -8])).toBe(0n);
    expect(packet.metaLength).toBe(8);
    expect(host.run('bpf_xdp_adjust_meta', [0, 9])).toBe(EINVAL);
    expect(host.run('bpf_xdp_adjust_meta', [0, -6])).toBe(EACCES);
    expect(host.run('bpf_xdp_adjust_meta', [0, -248])).toBe(EACCES);
    expect(host.run('bpf_xdp_adjust_meta', [0, -400])).toBe(EINVAL);
    expect(host.run('bpf_xdp_adjust_meta', [0, 8])).toBe(0n);
  });

  it('are copied in and out, across fragments', () => {
    const host = new TestHost();
    const packet = host.setPacket({ kind: 'xdp', data: frame(), linear: 20 });
    const out = host.room(4);
    expect(host.run('bpf_xdp_get_buff_len', [0])).toBe(50n);
    expect(host.run('bpf_xdp_store_bytes', [0, 18, host.place(Uint8Array.of(6, 7, 8, 9)), 4])).toBe(0n);
    expect(host.run('bpf_xdp_load_bytes', [0, 18, out, 4])).toBe(0n);
    expect([...host.at(out, 4), ...packet.read(18, 4)!]).toEqual([6, 7, 8, 9, 6, 7, 8, 9]);
    expect(host.run('bpf_xdp_load_bytes', [0, 47, out, 4])).toBe(EINVAL);
    expect(host.run('bpf_xdp_load_bytes', [0, 0x10000, out, 4])).toBe(EFAULT);
  });
});

describe('redirects', () => {
  it.each<[string, bigint[], string | undefined, bigint, number]>([
    ['bpf_redirect', [3n, 1n], 'bpf_redirect_proto', 7n, 1],
    ['bpf_redirect', [3n, 2n], 'bpf_redirect_proto', 2n, 0],
    ['bpf_redirect', [3n, 0n], 'bpf_xdp_redirect_proto', 4n, 1],
    ['bpf_redirect', [3n, 1n], 'bpf_xdp_redirect_proto', 0n, 0],
    ['bpf_redirect_peer', [3n, 0n], undefined, 7n, 1],
    ['bpf_redirect_peer', [3n, 1n], undefined, 2n, 0],
    ['bpf_redirect_neigh', [3n, 0n, 0n, 0n], undefined, 7n, 1],
    ['bpf_redirect_neigh', [3n, 0n, 19n, 0n], undefined, 2n, 0],
    ['bpf_redirect_neigh', [3n, 0n, 0n, 1n], undefined, 2n, 0],
  ])('%s, row %#', (name, args, proto, result, outcomes) => {
    const host = new TestHost();
    expect(host.run(name, args, proto)).toBe(result);
    expect(host.outcomes.length).toBe(outcomes);
    for (const outcome of host.outcomes) expect(outcome).toMatchObject({ kind: 'redirect', helper: name, target: 3, data: null });
  });

  it('bpf_clone_redirect sends the bytes at once', () => {
    const { host, packet, skb } = withSkb();
    expect(host.run('bpf_clone_redirect', [0, 9, 1])).toBe(0n);
    expect(host.outcomes).toEqual([
      { kind: 'redirect', helper: 'bpf_clone_redirect', target: 9, map: null, flags: 1n, data: packet.bytes() },
    ]);
    expect(host.run('bpf_clone_redirect', [0, 9, 2])).toBe(EINVAL);
    expect(host.run('bpf_clone_redirect', [0, 0, 0])).toBe(EINVAL);
    skb.gsoSize = 100;
    expect(host.run('bpf_clone_redirect', [0, 9, 0])).toBe(-74n);
    skb.gsoSize = 0;
    skb.networkHeader = 0;
    expect(host.run('bpf_clone_redirect', [0, 9, 0])).toBe(-34n);
    host.allocationFailure = true;
    expect(host.run('bpf_clone_redirect', [0, 9, 0])).toBe(ENOMEM);
  });

  it.each<[string, number, bigint, bigint, bigint, number]>([
    ['devmap slot', 14, 1n, 0n, 4n, 1],
    ['empty slot', 14, 2n, 2n, 2n, 0],
    ['broadcast of a devmap', 14, 2n, 8n | 16n, 4n, 1],
    ['broadcast of a cpumap', 16, 1n, 8n, 0n, 0],
    ['unknown flag', 14, 1n, 32n, 0n, 0],
  ])('bpf_redirect_map: %s', (_rule, type, key, flags, result, outcomes) => {
    const host = new TestHost();
    const map = { type, name: 'devs', redirectTarget: (slot: number) => (slot === 1 ? { ifindex: 8 } : null) };
    host.maps.set(0x100n, map as unknown as HostMap);
    expect(host.run('bpf_redirect_map', [0x100n, key, flags])).toBe(result);
    expect(host.outcomes).toEqual(
      [{ kind: 'redirect', helper: 'bpf_redirect_map', target: Number(key), map: 'devs', flags, data: null }].slice(0, outcomes),
    );
  });
});
