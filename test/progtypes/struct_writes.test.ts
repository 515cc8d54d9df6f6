import { describe, expect, test } from 'vitest';
import { openProfile } from '../../src/profiles/index.ts';
import { PROG_TYPES_BY_NAME, STRUCT_OPS_TYPES } from '../../src/progtypes/index.ts';
import { readVmlinuxPart } from '../profiles/packed_vmlinux.ts';
import facts from './tcp_sock_writes.linux_6_18.json' with { type: 'json' };

const profile = openProfile('linux-6.18', readVmlinuxPart);

function write(rule: 'tcp' | 'dummy' | 'xdp', struct: string, off: number, size: number): string | null {
  const rules = {
    tcp: STRUCT_OPS_TYPES.get('tcp_congestion_ops')!.structWrites,
    dummy: STRUCT_OPS_TYPES.get('bpf_dummy_ops')!.structWrites,
    xdp: PROG_TYPES_BY_NAME.get('xdp')!.structWrites!,
  };
  return profile.checkStructWrite(rules[rule], profile.btf.findByName(struct, 'STRUCT')!, off, size);
}

function inside(ranges: string, off: number): boolean {
  return ranges.split(',').some((range) => {
    const [first, last] = range.split('-').map(Number);
    return off >= first! && off <= (last ?? first!);
  });
}

test('every offset and size of tcp_sock answers as Linux 6.18', () => {
  const beyond = new Map(facts.beyond.map(([off, size, message]) => [`${off} ${size}`, message]));
  const wrong: string[] = [];
  for (const [text, ranges] of Object.entries(facts.accepted)) {
    const size = Number(text);
    for (let off = 0; off < facts.scanned - 8; off++) {
      const kernel = inside(ranges, off) ? null : (beyond.get(`${off} ${size}`) ?? `no write support to tcp_sock at off ${off}`);
      const ours = write('tcp', 'tcp_sock', off, size);
      if (ours !== kernel) wrong.push(`${size} at ${off}: ${ours}, kernel ${kernel}`);
    }
  }
  expect(wrong).toEqual([]);
});

describe('other structs', () => {
  test.each([
    ['tcp', 'task_struct', 0, 8, 'only read is supported'],
    ['dummy', 'bpf_dummy_ops_state', 0, 4, null],
    ['dummy', 'bpf_dummy_ops_state', 0, 8, 'write access at off 0 with size 8'],
    ['dummy', 'task_struct', 0, 4, 'only access to bpf_dummy_ops_state is supported'],
    ['xdp', 'sk_buff', 0, 4, 'only read is supported'],
    ['xdp', 'nf_conn', 0, 4, 'no write support to nf_conn at off 0'],
  ] as const)('%s writes to %s at %i, %i bytes', (rule, struct, off, size, message) => {
    expect(write(rule, struct, off, size)).toBe(message);
  });

  test('the mark of a connection', () => {
    const mark = profile.btf.findByName('nf_conn', 'STRUCT')!.members.find((member) => member.name === 'mark')!.bitOffset / 8;
    expect(write('xdp', 'nf_conn___init', mark, 4)).toBeNull();
    expect(write('xdp', 'nf_conn', mark, 8)).toBe(
      `write access at off ${mark} with size 8 beyond the member of nf_conn ended at ${mark + 4}`,
    );
  });
});
