import { describe, expect, it } from 'vitest';
import type { HostMap, HostPerf, HostRing } from '../../src/contracts/host_map.ts';
import { MAP_TYPES, type MapTypeName } from '../../src/contracts/uapi_numbers.ts';
import { TestHost } from './host.ts';

const [EINVAL, EFAULT, ERANGE, E2BIG] = [-22n, -14n, -34n, -7n];

/** one value of 8 bytes under the 4-byte key 5 */
function oneElement(host: TestHost, type: MapTypeName = 'hash', parts: Partial<HostMap> = {}): bigint {
  const value = host.memory.allocate(8, { what: 'value' });
  const offset = host.memory.allocate(64, { what: 'struct bpf_map' });
  const keyAt = (key: number): number => host.memory.loadU32(key);
  const map: HostMap = {
    id: 1,
    name: 'one',
    type: MAP_TYPES[type],
    keySize: 4,
    valueSize: 8,
    maxEntries: 1,
    flags: 0,
    offset,
    fieldOffset: () => -1,
    keyOf: () => null,
    elementCount: 1,
    stacks: null,
    arena: null,
    lookup: (key) => (keyAt(key) === 5 ? value : 0),
    lookupPercpu: (key, cpu) => (keyAt(key) === 5 && cpu === 3 ? value : 0),
    update: (key, from, flags) => {
      if (flags > 2n) return -22;
      if (keyAt(key) !== 5) return -7;
      host.memory.storeU64(value, host.memory.loadU64(from));
      return 0;
    },
    delete: (key) => (keyAt(key) === 5 ? 0 : -2),
    push: (from, flags) => {
      host.memory.storeU64(value, host.memory.loadU64(from));
      return flags === 0n ? 0 : -22;
    },
    pop: (to) => {
      host.memory.storeU64(to, host.memory.loadU64(value));
      return 0;
    },
    peek: (at) => (host.memory.loadU64(at) === 1n ? 0 : -2),
    forEach: (visit) => {
      let visited = 0;
      for (const key of [10, 11, 12]) {
        visited++;
        if (visit(key, key + 100) !== 0) break;
      }
      return visited;
    },
    redirectTarget: () => null,
    ring: null,
    perf: null,
    storage: null,
    ...parts,
  };
  host.maps.set(host.addressOf(offset), map);
  return host.addressOf(offset);
}

const key = (host: TestHost, value: number): bigint => host.place(new Uint8Array(Uint32Array.of(value, 0).buffer));
const word = (host: TestHost, value: bigint): bigint => host.place(new Uint8Array(BigUint64Array.of(value).buffer));

describe('map elements', () => {
  it('are looked up, updated and deleted by the map', () => {
    const host = new TestHost();
    const map = oneElement(host);
    const [five, six] = [key(host, 5), key(host, 6)];
    const found = host.run('bpf_map_lookup_elem', [map, five]);
    expect(found).not.toBe(0n);
    expect(host.run('bpf_map_lookup_elem', [map, six])).toBe(0n);
    expect(host.run('bpf_map_update_elem', [map, five, word(host, 77n), 0])).toBe(0n);
    expect(host.memory.loadU64(Number(BigInt.asUintN(32, found)))).toBe(77n);
    expect(host.run('bpf_map_update_elem', [map, six, word(host, 1n), 0])).toBe(E2BIG);
    expect(host.run('bpf_map_update_elem', [map, five, word(host, 1n), 3])).toBe(EINVAL);
    expect(host.run('bpf_map_delete_elem', [map, five])).toBe(0n);
    expect(host.run('bpf_map_delete_elem', [map, six])).toBe(-2n);
    expect(host.run('bpf_map_lookup_percpu_elem', [map, five, 3])).toBe(found);
    expect(host.run('bpf_map_lookup_percpu_elem', [map, five, 1])).toBe(0n);
  });

  it('are pushed and popped; a bloom filter is only asked', () => {
    const host = new TestHost();
    const queue = oneElement(host, 'queue');
    const out = host.room(8);
    expect(host.run('bpf_map_push_elem', [queue, word(host, 42n), 0])).toBe(0n);
    expect(host.run('bpf_map_push_elem', [queue, word(host, 42n), 1])).toBe(EINVAL);
    expect(host.run('bpf_map_pop_elem', [queue, out])).toBe(0n);
    expect(host.at(out, 1)[0]).toBe(42);
    const bloom = oneElement(host, 'bloom_filter');
    const constant = host.memory.allocate(8, { what: 'rodata', readOnly: true });
    expect(host.run('bpf_map_peek_elem', [bloom, host.addressOf(constant)])).toBe(-2n);
    expect(() => host.run('bpf_map_peek_elem', [queue, host.addressOf(constant)])).toThrow(/write of 8 bytes.*rodata/);
  });

  it('are walked until the callback answers something', () => {
    const host = new TestHost();
    const map = oneElement(host);
    const seen: bigint[][] = [];
    host.callbacks.set(0x500n, (...args) => {
      seen.push(args);
      return seen.length === 2 ? 1n << 40n : 0n;
    });
    expect(host.run('bpf_for_each_map_elem', [map, 0x500, 0x7777, 0])).toBe(2n);
    expect(seen[1]).toEqual([map, host.addressOf(11), host.addressOf(111), 0x7777n]);
    expect(host.run('bpf_for_each_map_elem', [map, 0x500, 0, 1])).toBe(EINVAL);
  });
});

describe('bpf_loop', () => {
  it('counts calls and stops where the callback says so', () => {
    const host = new TestHost();
    const seen: bigint[][] = [];
    host.callbacks.set(1n, (...args) => {
      seen.push(args);
      return args[0] === 3n ? 1n : 0n;
    });
    expect(host.run('bpf_loop', [3, 1, 0x88, 0])).toBe(3n);
    expect(seen).toEqual([0n, 1n, 2n].map((index) => [index, 0x88n]));
    expect(host.run('bpf_loop', [10, 1, 0, 0])).toBe(4n);
    expect(host.run('bpf_loop', [0, 1, 0, 0])).toBe(0n);
    expect(host.run('bpf_loop', [1, 1, 0, 2])).toBe(EINVAL);
    expect(host.run('bpf_loop', [8 * 1024 * 1024 + 1, 1, 0, 0])).toBe(E2BIG);
  });
});

describe('machine and task', () => {
  it.each<[string, bigint]>([
    ['bpf_ktime_get_ns', 100n],
    ['bpf_ktime_get_boot_ns', 200n],
    ['bpf_ktime_get_coarse_ns', 96n],
    ['bpf_ktime_get_tai_ns', 300n],
    ['bpf_jiffies64', 4_295_000_000n],
    ['bpf_get_prandom_u32', 0xfedcba98n],
    ['bpf_get_smp_processor_id', 2n],
    ['bpf_get_numa_node_id', 1n],
    ['bpf_get_current_pid_tgid', (1000n << 32n) | 1001n],
    ['bpf_get_current_uid_gid', (8n << 32n) | 7n],
    ['bpf_get_current_cgroup_id', 99n],
    ['bpf_get_current_task', 0n],
  ])('%s is %i', (name, expected) => {
    expect(new TestHost().run(name, [])).toBe(expected);
  });

  it('bpf_get_current_comm cuts and pads the name', () => {
    const host = new TestHost();
    const room = host.room(16);
    expect(host.run('bpf_get_current_comm', [room, 16])).toBe(0n);
    expect(String.fromCharCode(...host.at(room, 16))).toBe('worker'.padEnd(16, '\0'));
    expect(host.run('bpf_get_current_comm', [room, 4])).toBe(0n);
    expect(String.fromCharCode(...host.at(room, 5))).toBe('wor\0e');
  });

  it('signals are recorded, for the process or the thread', () => {
    const host = new TestHost();
    expect(host.run('bpf_send_signal', [9])).toBe(0n);
    expect(host.run('bpf_send_signal_thread', [10])).toBe(0n);
    expect(host.run('bpf_send_signal', [0])).toBe(0n);
    expect(host.run('bpf_send_signal', [65])).toBe(EINVAL);
    expect(host.outcomes).toEqual([
      { kind: 'signal', pid: 1000, signal: 9, thread: false },
      { kind: 'signal', pid: 1001, signal: 10, thread: true },
    ]);
    host.task.tgid = 1;
    expect(host.run('bpf_send_signal', [9])).toBe(-1n);
  });

  it('return values and cookies are passed along', () => {
    const host = new TestHost();
    host.retval = -13;
    expect(host.run('bpf_get_retval', [])).toBe(-13n);
    expect(host.run('bpf_set_retval', [0xffff_fff3])).toBe(0n);
    expect(host.retval).toBe(-13);
    host.attach = { ...host.attach, cookie: 0x1234_5678_9abcn, ip: 0xffff_ffff_8100_0000n };
    expect(host.run('bpf_get_attach_cookie', [0])).toBe(0x1234_5678_9abcn);
    expect(BigInt.asUintN(64, host.run('bpf_get_func_ip', [0]))).toBe(0xffff_ffff_8100_0000n);
  });

  it('arguments of the traced function are read by number', () => {
    const host = new TestHost();
    const context = host.place(new Uint8Array(BigUint64Array.of(11n, 22n, 33n).buffer));
    host.contextOffset = Number(BigInt.asUintN(32, context));
    host.attach = { ...host.attach, argCount: 2 };
    const out = host.room(8);
    expect(host.run('bpf_get_func_arg', [context, 1, out])).toBe(0n);
    expect(host.at(out, 1)[0]).toBe(22);
    expect(host.run('bpf_get_func_arg', [context, 2, out])).toBe(EINVAL);
    expect(host.run('bpf_get_func_arg_cnt', [context])).toBe(2n);
    expect(host.run('bpf_get_func_ret', [context, out])).toBe(-95n);
  });
});

describe('numbers in strings', () => {
  const parse = (name: string, text: string, base: number): [bigint, bigint] => {
    const host = new TestHost();
    const out = host.room(8);
    const result = host.run(name, [host.place(text), text.length, base, out]);
    return [result, new BigInt64Array(host.at(out, 8).buffer)[0]!];
  };

  it.each<[string, number, bigint, bigint]>([
    ['42', 0, 2n, 42n],
    ['  -42rest', 10, 5n, -42n],
    ['0x1F', 0, 4n, 31n],
    ['0x1F', 16, 4n, 31n],
    ['1f', 16, 2n, 31n],
    ['017', 0, 3n, 15n],
    ['0', 0, 1n, 0n],
    ['0xg', 0, 1n, 0n],
    ['-9223372036854775808', 10, 20n, -(1n << 63n)],
    ['9223372036854775808', 10, ERANGE, 0n],
    ['-9223372036854775809', 10, ERANGE, 0n],
    ['99999999999999999999', 10, ERANGE, 0n],
    ['x', 10, EINVAL, 0n],
    ['   ', 10, EINVAL, 0n],
    ['-', 10, EINVAL, 0n],
    ['8', 8, EINVAL, 0n],
    ['1', 7, EINVAL, 0n],
    ['1', 32, EINVAL, 0n],
  ])('bpf_strtol(%j, base %i) is %i', (text, base, result, value) => {
    expect(parse('bpf_strtol', text, base)).toEqual([result, value]);
  });

  it.each<[string, bigint, bigint]>([
    ['18446744073709551615', 20n, -1n],
    ['18446744073709551616', ERANGE, 0n],
    ['-1', EINVAL, 0n],
  ])('bpf_strtoul(%j) is %i', (text, result, value) => {
    expect(parse('bpf_strtoul', text, 10)).toEqual([result, value]);
  });

  it.each<[string, number, string, bigint]>([
    ['abc', 3, 'abc', 0n],
    ['abc', 3, 'abd', -1n],
    ['b', 1, 'a', 1n],
    ['ab\0x', 4, 'ab', 0n],
    ['abc', 2, 'abx', 0n],
    ['abc', 3, 'ab', 1n],
    ['\xff', 1, 'a', 1n],
  ])('bpf_strncmp(%j, %i, %j) is %i', (first, size, second, expected) => {
    const host = new TestHost();
    expect(host.run('bpf_strncmp', [host.place(first), size, host.place(second)])).toBe(expected);
  });
});

describe('reads that may fail', () => {
  const USER = 0x7fff_0000n;
  const setup = () => {
    const host = new TestHost();
    host.userBytes.set(
      USER,
      Uint8Array.from('hello\0tail', (char) => char.charCodeAt(0)),
    );
    return { host, out: host.room(8), kernel: host.place('kernel text') };
  };
  const text = (host: TestHost, address: bigint, size: number) => String.fromCharCode(...host.at(address, size));

  it('copy from the kernel, and zero the buffer on failure', () => {
    const { host, out, kernel } = setup();
    expect(host.run('bpf_probe_read_kernel', [out, 4, kernel])).toBe(0n);
    expect(text(host, out, 5)).toBe('kern\xaa');
    expect(host.run('bpf_probe_read_kernel', [out, 4, 0])).toBe(ERANGE);
    expect(text(host, out, 5)).toBe('\0\0\0\0\xaa');
    expect(host.run('bpf_probe_read_kernel', [out, 8, USER])).toBe(ERANGE);
    expect(host.run('bpf_probe_read_kernel', [out, 8, 0xdead_0000_0000_0000n])).toBe(ERANGE);
    expect(host.run('bpf_probe_read_kernel', [out, 8, 0xffff_ffff_ff60_0000n])).toBe(ERANGE);
    expect(host.run('bpf_probe_read_kernel', [out, 8, 0xffff_8880_0000_0001n])).toBe(EFAULT);
  });

  it('copy from the user', () => {
    const { host, out, kernel } = setup();
    expect(host.run('bpf_probe_read_user', [out, 5, USER])).toBe(0n);
    expect(text(host, out, 5)).toBe('hello');
    expect(host.run('bpf_probe_read_user', [out, 5, USER + 0x1000n])).toBe(EFAULT);
    expect(text(host, out, 5)).toBe('\0\0\0\0\0');
    expect(host.run('bpf_probe_read_user', [out, 5, kernel])).toBe(EFAULT);
    expect(host.run('bpf_copy_from_user', [out, 5, USER])).toBe(0n);
    expect(host.run('bpf_copy_from_user', [out, 5, 0])).toBe(EFAULT);
  });

  it('copy strings with their zero, cut to the buffer, and leave what is behind', () => {
    const { host, out, kernel } = setup();
    expect(host.run('bpf_probe_read_user_str', [out, 8, USER])).toBe(6n);
    expect(text(host, out, 8)).toBe('hello\0\xaa\xaa');
    expect(host.run('bpf_probe_read_user_str', [out, 3, USER])).toBe(3n);
    expect(text(host, out, 3)).toBe('he\0');
    expect(host.run('bpf_probe_read_kernel_str', [out, 8, kernel])).toBe(8n);
    expect(text(host, out, 8)).toBe('kernel \0');
    expect(host.run('bpf_probe_read_kernel_str', [out, 0, kernel])).toBe(0n);
    expect(host.run('bpf_probe_read_kernel_str', [out, 8, 0])).toBe(ERANGE);
    expect(text(host, out, 8)).toBe('\0'.repeat(8));
  });

  it('choose by the address when they are not told', () => {
    const { host, out, kernel } = setup();
    expect(host.run('bpf_probe_read', [out, 5, USER])).toBe(0n);
    expect(host.run('bpf_probe_read', [out, 5, kernel])).toBe(0n);
    expect(text(host, out, 5)).toBe('kerne');
    expect(host.run('bpf_probe_read_str', [out, 8, USER])).toBe(6n);
    expect(host.run('bpf_probe_read', [out, 5, 0x10])).toBe(EFAULT);
  });
});

describe('ring and perf buffers', () => {
  it('reserve, submit and discard records of the ring they came from', () => {
    const host = new TestHost();
    const ended: [number, bigint, boolean][] = [];
    const sample = host.memory.allocate(16, { what: 'record' });
    const ring: HostRing = {
      reserve: (size) => (size === 16 ? sample : 0),
      commit: (...args) => void ended.push(args),
      output: (_data, size) => (size > 64 ? -11 : 0),
      query: (flags) => flags + 100n,
    };
    const map = oneElement(host, 'ringbuf', { ring });
    expect(host.run('bpf_ringbuf_reserve', [map, 16, 1])).toBe(0n);
    expect(host.run('bpf_ringbuf_reserve', [map, 1n << 32n, 0])).toBe(0n);
    const record = host.run('bpf_ringbuf_reserve', [map, 16, 0]);
    expect(BigInt.asUintN(64, record)).toBe(host.addressOf(sample));
    host.run('bpf_ringbuf_submit', [record, 2]);
    expect(() => host.run('bpf_ringbuf_submit', [record, 0])).toThrow(/not a reserved/);
    host.run('bpf_ringbuf_reserve', [map, 16, 0]);
    host.run('bpf_ringbuf_discard', [record, 0]);
    expect(ended).toEqual([
      [sample, 2n, false],
      [sample, 0n, true],
    ]);
    expect(host.run('bpf_ringbuf_output', [map, host.room(8), 8, 4])).toBe(EINVAL);
    expect(host.run('bpf_ringbuf_output', [map, host.room(8), 8, 1])).toBe(0n);
    expect(host.run('bpf_ringbuf_output', [map, host.room(100), 100, 0])).toBe(-11n);
    expect(host.run('bpf_ringbuf_query', [map, 3])).toBe(103n);
  });

  it('perf output carries the data, and the packet behind it where there is one', () => {
    const host = new TestHost();
    const sent: [bigint, string][] = [];
    const perf: HostPerf = {
      output: (flags, data) => {
        sent.push([flags, String.fromCharCode(...data)]);
        return 0;
      },
      read: (flags) => (flags === 1n ? 77n : -2n),
    };
    const map = oneElement(host, 'perf_event_array', { perf });
    const data = host.place('data');
    expect(host.run('bpf_perf_event_output', [0, map, 0xffffffffn, data, 4])).toBe(0n);
    expect(host.run('bpf_perf_event_output', [0, map, 1n << 32n, data, 4])).toBe(EINVAL);
    host.setPacket({ kind: 'xdp', data: Uint8Array.from('PACKET', (char) => char.charCodeAt(0)) });
    const xdp = 'bpf_xdp_event_output_proto';
    expect(host.run('bpf_perf_event_output', [0, map, (3n << 32n) | 2n, data, 4], xdp)).toBe(0n);
    expect(host.run('bpf_perf_event_output', [0, map, 7n << 32n, data, 4], xdp)).toBe(EFAULT);
    expect(host.run('bpf_perf_event_output', [0, map, 1n << 52n, data, 4], xdp)).toBe(EINVAL);
    expect(sent).toEqual([
      [0xffffffffn, 'data'],
      [2n, 'dataPAC'],
    ]);
    expect(host.run('bpf_perf_event_read', [map, 1])).toBe(77n);
    expect(host.run('bpf_perf_event_read', [map, 0])).toBe(-2n);
  });
});
