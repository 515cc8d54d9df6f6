import { afterAll, describe, expect, it } from 'vitest';
import { assemble } from '../../src/asm/assemble.ts';
import { KernelOracle, NoKernel } from '../../src/cli/kernel_oracle.ts';
import { oracleRequest } from '../../src/cli/oracle_request.ts';
import { NO_CAPABILITIES } from '../../src/contracts/subject.ts';
import { loadSample, profile } from '../samples.ts';

const open = async (): Promise<KernelOracle | string> => {
  try {
    return await KernelOracle.open();
  } catch (error) {
    if (error instanceof NoKernel) return error.message;
    throw error;
  }
};
const oracle = await open();
const assembled = (text: string) => assemble(text, 'sample.bpf.s', { profile }).programs[0]!;

describe('a request', () => {
  it('is what BPF_PROG_LOAD is given', () => {
    const request = oracleRequest(
      assembled(`
        .section "xdp.frags"
        .map counts array key_size=4 value_size=8 max_entries=3 flags=BPF_F_MMAPABLE
        .bss total 8
        r1 = counts ll
        r2 = total ll
        r0 = 2
        exit
      `),
      { logLevel: 2, flags: 1, capabilities: { ...NO_CAPABILITIES, bpf: true } },
    );
    expect(request).toMatchObject({
      insns: '181100000000000000000000000000001822000001000000' + '0000000000000000' + 'b700000002000000' + '9500000000000000',
      prog_type: 6,
      expected_attach_type: 37,
      flags: 33,
      license: 'GPL',
      name: 'sample',
      log_level: 2,
      caps: 2 ** 39,
      btf: null,
      maps: [
        {
          name: 'counts',
          type: 2,
          key_size: 4,
          value_size: 8,
          max_entries: 3,
          flags: 1024,
          value: null,
          frozen: false,
          inner: null,
        },
        { name: 'sample.bss', type: 2, value_size: 8, max_entries: 1, flags: 0 },
      ],
    });
  });

  it('brings BTF, functions and lines as the kernel reads them', async () => {
    const program = (await loadSample('c/checksum.o')).programs[0]!;
    const request = oracleRequest(program, { logLevel: 0 });
    expect(request.btf).toMatch(/^9feb0100/);
    expect(request.func_info.length / 16).toBe(program.funcInfo.length);
    expect(request.line_info.length / 32).toBe(program.lineInfo.length);
    expect(request.log_level).toBe(0);
  });

  it('brings the types of the maps of a program that has none itself', () => {
    const program = assembled(`
      .map counts array key="u32" value="u64" max_entries=1
      r1 = counts ll
      r0 = 0
      exit
    `);
    const request = oracleRequest({ ...program, btf: null, funcInfo: [], lineInfo: [] }, { logLevel: 0 });
    expect(request.btf).toMatch(/^9feb0100/);
    expect(request.maps[0]).toMatchObject({ has_btf: true, btf_value_type_id: program.maps[0]!.btfValueTypeId });
  });
});

const isThere = typeof oracle !== 'string';
describe.skipIf(!isThere)(`the running kernel${isThere ? '' : ` (skipped: ${oracle})`}`, () => {
  afterAll(() => {
    if (typeof oracle !== 'string') oracle.close();
  });
  const ask = async (text: string, logLevel = 1) => (oracle as KernelOracle).ask(assembled(text), { logLevel });

  it('accepts and refuses, with its log', async () => {
    expect(await ask('r0 = 0\nexit')).toMatchObject({ verdict: 'accept', errno: null, stage: 'program' });
    const refused = await ask('r0 = r2\nexit');
    expect(refused).toMatchObject({ verdict: 'reject', errno: 'EACCES' });
    expect(refused.log).toContain('R2 !read_ok\n');
    expect(refused.logTrueSize).toBeGreaterThan(refused.log.length - 1);
  });

  it('creates maps, with their content and their inner maps', async () => {
    const text = `
      .section "xdp"
      .map leaf array key_size=4 value_size=8 max_entries=1 template
      .map outer array_of_maps key_size=4 value_size=4 max_entries=1 inner=leaf
      .c { typedef unsigned int u32; }
      .rodata "const u32 answer" = 42
      r1 = answer ll
      r6 = *(u32 *)(r1 +0)
      *(u32 *)(r10 -4) = 0
      r2 = r10
      r2 += -4
      r1 = outer ll
      call bpf_map_lookup_elem
      r0 = r6
      exit
    `;
    const { verdict, log } = await ask(text, 2);
    expect(verdict).toBe('accept');
    expect(log).toMatch(/R6=42/);
    expect(log).toContain('R0=map_value_or_null(id=1,map=outer');
  });

  it('says which map it does not create', async () => {
    const text = '.map bad array key_size=8 value_size=8 max_entries=1\nr1 = bad ll\nr0 = 0\nexit';
    expect(await ask(text)).toMatchObject({ verdict: 'reject', errno: 'EINVAL', stage: 'map' });
  });

  it('loads with fewer capabilities', async () => {
    const program = assembled('.section "tracepoint/syscalls/sys_enter_open"\nr0 = 0\nexit');
    const capabilities = { ...NO_CAPABILITIES, bpf: true };
    expect(await (oracle as KernelOracle).ask(program, { logLevel: 1, capabilities })).toMatchObject({
      verdict: 'reject',
      errno: 'EPERM',
    });
  });

  it('takes one question after the other', async () => {
    const answers = [];
    for (let i = 0; i < 20; i++) answers.push((await ask(`r0 = ${i}\nexit`, 2)).log);
    for (const [i, log] of answers.entries()) expect(log).toContain(`r0 = ${i} `);
  });
});
