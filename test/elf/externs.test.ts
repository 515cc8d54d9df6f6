import { describe, expect, test } from 'vitest';
import { encodeNumber, encodeSetting, type KconfigKind } from '../../src/elf/kconfig.ts';
import { kernelBtf, loadFixture, mapOf, programOf, references } from './fixture.ts';

describe('externs', () => {
  const image = loadFixture('externs');
  const errorOf = (name: string): string | null => programOf(image, name).loadError;

  test('configuration values stand in a frozen read-only map', () => {
    const kconfig = mapOf(image, 'externs.kconfig');
    expect(kconfig).toMatchObject({ section: '.kconfig', frozen: true, flags: 0x480 });
    const btf = image.btf!;
    const offsets = new Map(
      btf.findByName('.kconfig', 'DATASEC')!.vars.map((entry) => [btf.type(entry.type).name, entry.offset]),
    );
    const view = new DataView(kconfig.initial!.buffer);
    expect(view.getUint32(offsets.get('LINUX_KERNEL_VERSION')!, true)).toBe((6 << 16) | (18 << 8) | 44);
    expect(view.getUint32(offsets.get('CONFIG_MODULE_THING')!, true)).toBe(2);
    expect(view.getUint16(offsets.get('CONFIG_NUMBER')!, true)).toBe(0x123);
    expect(view.getUint8(offsets.get('CONFIG_BPF')!)).toBe(1);
    expect(view.getBigUint64(offsets.get('CONFIG_ABSENT')!, true)).toBe(0n);
    expect(Buffer.from(kconfig.initial!.subarray(offsets.get('CONFIG_NAME')!)).toString()).toMatch(/^abc\0/);
    expect(references(programOf(image, 'kconfig'))).toContain(`value externs.kconfig+${offsets.get('CONFIG_NUMBER')}`);
    expect(errorOf('kconfig')).toBeNull();
  });

  test('a setting that the kernel lacks spoils the program that needs it', () => {
    expect(errorOf('kconfig_required')).toBe("extern 'CONFIG_REQUIRED' (strong): not resolved");
    expect(errorOf('none')).toBeNull();
  });

  test('typed variables become type ids of the kernel, absent weak ones zero', () => {
    expect(references(programOf(image, 'typed'))).toEqual([
      'number 0',
      `btf ${kernelBtf.findByName('runqueues_online', 'VAR')!.id}`,
    ]);
  });

  test('a typeless symbol that the kernel BTF names gets an address in kernel text', () => {
    const [address] = references(programOf(image, 'typeless'));
    expect(BigInt(address!.split(' ')[1]!)).toBeGreaterThan(0xffff_ffff_8000_0000n);
  });

  test('addresses of other symbols can be given', () => {
    expect(errorOf('unknown')).toContain("'unknown_symbol'");
    const given = loadFixture('externs', {
      symbolAddress: (name) => (name === 'unknown_symbol' ? 0x1234_5678_9abc_def0n : null),
    });
    expect(references(programOf(given, 'unknown'))).toEqual([`number ${0x1234_5678_9abc_def0n}`]);
    expect(programOf(given, 'typeless').loadError).toBe("extern 'do_unlinkat' (strong): not resolved");
  });

  test('kfuncs: found by name without flavour, absent weak ones poisoned by their place among the externs', () => {
    const kfunc = (name: string): string => `kfunc ${kernelBtf.findByName(name, 'FUNC')!.id}`;
    const used = references(programOf(image, 'kfuncs'));
    expect(used).toEqual(['number 0', 'helper 2002000007', kfunc('bpf_other_kfunc'), kfunc('bpf_sample_kfunc')]);
    expect(errorOf('kfuncs')).toBeNull();
  });

  test('a strong kfunc that the kernel lacks is poisoned as well, and the list of externs says why', () => {
    const index = image.externs!.findIndex(({ name }) => name === 'bpf_required_kfunc');
    expect(references(programOf(image, 'required'))).toEqual([`helper ${2002000000 + index}`]);
    expect(errorOf('required')).toBeNull();
    expect(image.externs![index]!.error).toBe("extern (func ksym) 'bpf_required_kfunc': not found in kernel or module BTFs");
  });

  test('a weak kfunc of another type counts as absent', () => {
    expect(references(programOf(image, 'incompatible'))).toEqual([expect.stringMatching(/^helper 2002/)]);
    expect(errorOf('incompatible')).toBeNull();
  });

  test('the list of externs says what the kernel has', () => {
    const rows = image.externs!.map(({ name, kind, weak, found }) => [name, kind, weak, found]);
    expect(rows).toContainEqual(['CONFIG_REQUIRED', 'kconfig', false, false]);
    expect(rows).toContainEqual(['missing_variable', 'variable', true, false]);
    expect(rows).toContainEqual(['bpf_sample_kfunc', 'function', false, true]);
    expect(rows[7]).toEqual(['bpf_absent_kfunc', 'function', true, false]);
  });

  test('the BTF for the kernel lists symbols as 4-byte variables and functions as a dummy', () => {
    const btf = image.btf!;
    const ksyms = btf.findByName('.ksyms', 'DATASEC')!;
    expect(ksyms.size).toBe(4 * ksyms.vars.length);
    expect(ksyms.vars.map((entry) => entry.offset)).toEqual(ksyms.vars.map((_, i) => 4 * i));
    expect(new Set(ksyms.vars.map((entry) => btf.kindOf(entry.type)))).toEqual(new Set(['VAR']));
    expect(ksyms.vars.map((entry) => btf.type(entry.type).name)).toContain('dummy_ksym');
    expect(btf.findByName('bpf_sample_kfunc', 'FUNC')!.linkage).toBe('global');
  });
});

describe('settings of the kernel configuration', () => {
  const target = (word: KconfigKind['word'], size: number, signed = false) => ({ name: 'X', size, value: { word, signed } });
  const bytesOf = (result: ReturnType<typeof encodeSetting>): number[] | string =>
    'bytes' in result ? [...result.bytes] : result.error;

  test.each([
    ['y', target('bool', 1), [1]],
    ['n', target('tristate', 4), [0, 0, 0, 0]],
    ['m', target('char', 1), [0x6d]],
    ['-2', target('int', 2, true), [0xfe, 0xff]],
    ['017', target('int', 4), [15, 0, 0, 0]],
    ['"ab"', target('char-array', 8), [0x61, 0x62]],
    ['"abcdef"', target('char-array', 4), [0x61, 0x62, 0x63]],
  ])('%s', (setting, extern, bytes) => {
    expect(bytesOf(encodeSetting(extern, setting))).toEqual(bytes);
  });

  test.each([
    ['m', target('bool', 1), "value 'm' implies tristate or char type"],
    ['y', target('int', 4), "value 'y' implies bool, tristate, or char type"],
    ['"a"', target('int', 4), 'value \'"a"\' implies char array type'],
    ['"', target('char-array', 4), "invalid string config '\"'"],
    ['12x', target('int', 4), "value '12x' isn't a valid integer"],
    ['1', target('bool', 1), "value '1' implies integer type"],
    ['70000', target('int', 2), "value '70000' doesn't fit in 2 bytes"],
  ])('%s is refused', (setting, extern, message) => {
    expect(bytesOf(encodeSetting(extern, setting))).toBe(`extern (kcfg) 'X': ${message}`);
  });

  test('a boolean takes no number above one', () => {
    expect(bytesOf(encodeNumber(target('bool', 1), 2n))).toBe("extern (kcfg) 'X': value '2' isn't boolean compatible");
  });
});
