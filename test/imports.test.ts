import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { describe, expect, it } from 'vitest';

const ENGINES = ['contracts', 'program', 'isa', 'btf'];
const TABLES = ['kernel', 'maps', 'contracts', 'isa', 'btf'];
const EVERYTHING = [
  ...['library', 'report', 'world', 'sys', 'vm', 'verifier', 'profiles', 'elf', 'asm'],
  ...['helpers', 'kfuncs', 'iterators', 'progtypes', 'maps', 'kernel', 'contracts', 'program', 'isa', 'btf'],
];

/**
 * Which room may import from which: the flow of the house. Data goes one way, tables are leaves, only a profile assembles them, and
 * neither of verifier and machine knows the other.
 */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  isa: [],
  btf: ['isa'],
  program: ['isa', 'btf'],
  contracts: ['isa', 'btf', 'program'],
  asm: ENGINES,
  elf: ENGINES,
  kernel: ['contracts', 'isa', 'btf'],
  maps: [...TABLES, 'program'],
  helpers: TABLES,
  kfuncs: TABLES,
  iterators: TABLES,
  progtypes: ['contracts', 'isa', 'btf'],
  profiles: ['helpers', 'kfuncs', 'iterators', 'progtypes', 'maps', 'kernel', 'contracts', 'isa', 'btf'],
  verifier: ENGINES,
  vm: [...ENGINES, 'kernel', 'maps'],
  sys: [...ENGINES, 'vm', 'verifier', 'kernel', 'maps'],
  world: [...ENGINES, 'sys', 'kernel', 'maps'],
  report: [...ENGINES, 'verifier', 'vm', 'sys'],
  library: EVERYTHING,
  desk: EVERYTHING,
  fuzz: [...EVERYTHING, 'desk'],
  cli: [...EVERYTHING, 'desk', 'fuzz'],
  'index.ts': [...EVERYTHING, 'desk', 'fuzz'],
};

/** Rooms of which only types are seen: what they do is not for the importer. */
const TYPES_ONLY: readonly (readonly [importer: string, imported: string])[] = [
  ['report', 'verifier'],
  ['report', 'vm'],
  ['report', 'sys'],
];

/** A name that decides something, as opposed to one in a message. */
const COMPARISON =
  /[=!]==?\s*['"`]bpf_|['"`]bpf_\w*['"`]\s*[=!]==?|\bcase\s+['"`]bpf_|\b(?:has|get|includes|indexOf|startsWith)\(\s*['"`]bpf_\w*['"`]/;

const MAX_LINES = 600;
const ROOT = join(import.meta.dirname, '..');
const SOURCES = join(ROOT, 'src');

interface Import {
  readonly from: string;
  readonly isType: boolean;
}

const IMPORT = /(?:^|\n)\s*(import|export)\s+(type\s+)?(?:[^'"`;]*?\sfrom\s+)?'([^']+)'|import\(\s*'([^']+)'\s*\)/g;

const importsOf = (text: string): Import[] =>
  [...text.matchAll(IMPORT)].map(([, , type, plain, dynamic]) => ({
    from: (plain ?? dynamic)!,
    isType: type !== undefined,
  }));

const files = readdirSync(SOURCES, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .map((file) => file.replaceAll('\\', '/'))
  .sort();
const textOf = new Map(files.map((file) => [file, readFileSync(join(SOURCES, file), 'utf8')]));
const roomOf = (file: string): string => file.split('/', 1)[0]!;

describe('the rooms of the house', () => {
  it('are all in the table', () => {
    expect([...new Set(files.map(roomOf))].filter((room) => !(room in MAY_IMPORT))).toEqual([]);
  });

  it('import only what they may', () => {
    const breaches: string[] = [];
    for (const [file, text] of textOf) {
      const room = roomOf(file);
      for (const { from, isType } of importsOf(text)) {
        if (!from.startsWith('.')) continue;
        const target = posix.normalize(posix.join(posix.dirname(file), from));
        const other = roomOf(target);
        if (other === room) continue;
        if (!MAY_IMPORT[room]!.includes(other)) breaches.push(`${file} imports ${target}`);
        else if (!isType && TYPES_ONLY.some(([a, b]) => a === room && b === other))
          breaches.push(`${file} imports code of ${target}`);
      }
    }
    expect(breaches).toEqual([]);
  });

  it('use node only in the command line', () => {
    const breaches = [...textOf].filter(
      ([file, text]) =>
        roomOf(file) !== 'cli' &&
        (importsOf(text).some(({ from }) => from.startsWith('node:')) ||
          /\bprocess\.(?:env|argv|std|exit|hrtime|platform|cwd|memoryUsage)/.test(text)),
    );
    expect(breaches.map(([file]) => file)).toEqual([]);
  });

  it('take neither time nor chance from the machine they run on', () => {
    const breaches = [...textOf].filter(([, text]) => /\bDate\.now\(|\bnew Date\(\)|\bMath\.random\(/.test(text));
    expect(breaches.map(([file]) => file)).toEqual([]);
  });

  it('compare no helper or kfunc by name in the verifier', () => {
    const breaches = [...textOf].flatMap(([file, text]) =>
      roomOf(file) !== 'verifier'
        ? []
        : text.split('\n').flatMap((line, i) => (COMPARISON.test(line) ? [`${file}:${i + 1}: ${line.trim()}`] : [])),
    );
    expect(breaches).toEqual([]);
  });

  it('are written in files of at most 600 lines', () => {
    const walk = (folder: string): string[] =>
      readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
        .filter((file) => file.endsWith('.ts'))
        .map((file) => `${folder}/${file}`);
    const long = ['src', 'tools'].flatMap(walk).flatMap((file) => {
      const lines = readFileSync(join(ROOT, file), 'utf8').split('\n').length - 1;
      return lines > MAX_LINES ? [`${file}: ${lines} lines`] : [];
    });
    expect(long).toEqual([]);
  });
});
