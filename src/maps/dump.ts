import { Malformed } from '../contracts/errors.ts';
import { PercpuArrayMap } from './array.ts';
import { type BpfMap, roundUp8 } from './bpf_map.ts';

/** One entry as `bpftool map dump --json` prints it: bytes as `0x` text. Per-CPU maps have `values` instead of `value`. */
export interface DumpedEntry {
  readonly key?: readonly string[];
  readonly value?: readonly string[];
  readonly values?: readonly { readonly cpu: number; readonly value: readonly string[] }[];
}

const hexBytes = (bytes: Uint8Array): string[] => [...bytes].map((byte) => `0x${byte.toString(16).padStart(2, '0')}`);

/** The content of a map. */
export function dumpMap(map: BpfMap): DumpedEntry[] {
  const entries: DumpedEntry[] = [];
  const size = roundUp8(map.valueSize);
  const perCpu = map.userValueSize !== map.valueSize || map instanceof PercpuArrayMap;
  for (const [key, value] of map.entries()) {
    const shown = map.keySize === 0 ? {} : { key: hexBytes(key) };
    if (!perCpu) {
      entries.push({ ...shown, value: hexBytes(value) });
      continue;
    }
    const values = Array.from({ length: value.length / size }, (_, cpu) => ({
      cpu,
      value: hexBytes(value.subarray(cpu * size, cpu * size + map.valueSize)),
    }));
    entries.push({ ...shown, values });
  }
  return entries;
}

/**
 * Fills a map from the JSON of a dump (parsed). Bytes may be numbers or text in any base that JavaScript reads. Throws
 * `Malformed` for another shape; answers the first negative errno, or 0.
 */
export function seedMap(map: BpfMap, content: unknown, file: string | null = null): number {
  const bad = (what: string): Malformed => new Malformed(`map ${map.name}: ${what}`, file);
  if (!Array.isArray(content)) throw bad('expected a list of entries');
  for (const [index, entry] of content.entries()) {
    if (typeof entry !== 'object' || entry === null) throw bad(`entry ${index} is not an object`);
    const { key, value, values } = entry as Record<string, unknown>;
    const keyBytes = bytesOf(key ?? []);
    const valueBytes = values === undefined ? bytesOf(value) : perCpuBytes(map, values);
    if (keyBytes === null || keyBytes.length !== map.keySize) throw bad(`entry ${index}: key is not ${map.keySize} bytes`);
    if (valueBytes === null || valueBytes.length !== map.userValueSize) {
      throw bad(`entry ${index}: value is not ${map.userValueSize} bytes`);
    }
    const error = map.userUpdate(keyBytes, valueBytes);
    if (error !== 0) return error;
  }
  return 0;
}

const bytesOf = (value: unknown): Uint8Array | null => {
  if (!Array.isArray(value)) return null;
  const bytes = new Uint8Array(value.length);
  for (const [i, byte] of value.entries()) {
    const number = typeof byte === 'string' && byte !== '' ? Number(byte) : byte;
    if (typeof number !== 'number' || !Number.isInteger(number) || number < 0 || number > 255) return null;
    bytes[i] = number;
  }
  return bytes;
};

const perCpuBytes = (map: BpfMap, values: unknown): Uint8Array | null => {
  if (!Array.isArray(values)) return null;
  const size = roundUp8(map.valueSize);
  const bytes = new Uint8Array(map.userValueSize);
  for (const one of values) {
    if (typeof one !== 'object' || one === null) return null;
    const { cpu, value } = one as Record<string, unknown>;
    const part = bytesOf(value);
    if (typeof cpu !== 'number' || part === null || part.length !== map.valueSize || cpu * size >= bytes.length) return null;
    bytes.set(part, cpu * size);
  }
  return bytes;
};
