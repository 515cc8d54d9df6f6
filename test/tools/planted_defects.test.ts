import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseSync } from 'rolldown/utils';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ORACLES } from '../../src/fuzz/oracle_names.ts';
import { bundle, ROOT } from '../../tools/planted_defects/bundle.ts';
import { CAMPAIGNS } from '../../tools/planted_defects/campaigns.ts';
import { CATALOGUE } from '../../tools/planted_defects/catalogue/index.ts';
import { filesOf, plant } from '../../tools/planted_defects/defect.ts';
import { Hunter } from '../../tools/planted_defects/hunt.ts';
import { DEFECTS_PAGE, defectsPage, median, readResults, SEEDS } from '../../tools/planted_defects/table.ts';

const results = readResults();

describe('the catalogue of planted defects', () => {
  it('has at least 20, by different names', () => {
    expect(new Set(CATALOGUE.map(({ name }) => name)).size).toBe(CATALOGUE.length);
    expect(CATALOGUE.length).toBeGreaterThanOrEqual(20);
  });

  it.each(CATALOGUE)('$name applies, and what comes out is a program', (defect) => {
    for (const file of filesOf(defect)) {
      const source = readFileSync(join(ROOT, file), 'utf8');
      const planted = plant(source, defect, file);
      expect(planted).not.toBe(source);
      expect(parseSync(file, planted).errors).toEqual([]);
      expect(() => plant(source + source, defect, file)).toThrow(/stands 2 times/);
    }
  });

  it('is what docs/defects.md tells about, as measured', () => {
    expect(readFileSync(DEFECTS_PAGE, 'utf8')).toBe(defectsPage(results));
    expect(Object.keys(results.defects)).toEqual(CATALOGUE.map(({ name }) => name));
    for (const seeds of Object.values(results.defects)) {
      const isDecided = seeds.filter((result) => result === null).length > SEEDS.length / 2;
      expect(seeds.length === SEEDS.length || seeds.length === 0 || isDecided).toBe(true);
    }
    expect(Object.keys(results.clean)).toEqual(Object.keys(CAMPAIGNS));
  });

  it('counts a defect as found when most seeds find it', () => {
    const found = (programs: number) => ({ programs, oracle: 'runs' });
    expect(median([found(9), null, found(2), found(5), null])).toBe(9);
    expect(median([null, null, found(2), found(5), null])).toBe(null);
    expect(median([])).toBe(null);
  });
});

describe('a hunt', () => {
  const hunters: Hunter[] = [];
  const hunterOf = async (name: string | null): Promise<Hunter> => {
    const hunter = new Hunter(await bundle(CATALOGUE.find((defect) => defect.name === name) ?? null));
    hunters.push(hunter);
    return hunter;
  };
  afterAll(() => Promise.all(hunters.map((hunter) => hunter.end())));

  it.each([
    ['jmp32-bounds-64', 'domain'],
    ['stack-misc-as-zero', 'containment'],
    ['helper-keeps-scratch-registers', 'containment'],
  ])('finds %s by %s', async (name, oracle) => {
    const defect = CATALOGUE.find((candidate) => candidate.name === name)!;
    const hunter = await hunterOf(name);
    const caught = await hunter.hunt({ seed: 1, from: 0, budget: 2000, oracles: defect.oracles, ...CAMPAIGNS[defect.campaign] });
    expect(caught).toMatchObject({ oracle, program: expect.stringMatching(/exit\n/) });
  });

  it('finds nothing where nothing is planted', async () => {
    const hunter = await hunterOf(null);
    expect(await hunter.hunt({ seed: 1, from: 0, budget: 150, oracles: ORACLES, ...CAMPAIGNS.usual })).toBe(null);
  });
});

describe('a program in which a defect matters', () => {
  const FOLDER = join(import.meta.dirname, 'planted');
  const programs = readdirSync(FOLDER).map(
    (file) => [file.replace('.bpf.s', ''), readFileSync(join(FOLDER, file), 'utf8')] as const,
  );
  let control: Hunter;
  beforeAll(async () => {
    control = new Hunter(await bundle(null));
  });
  afterAll(() => control.end());

  it.each(programs)('%s: refused by our verifier, and the oracles notice if it is not', async (name, text) => {
    expect(await control.check(text)).toEqual({ verdict: 'reject', findings: [] });
    const defect = CATALOGUE.find((candidate) => candidate.name === name)!;
    const hunter = new Hunter(await bundle(defect));
    const { verdict, findings } = await hunter.check(text);
    await hunter.end();
    expect(verdict).toBe('accept');
    expect(defect.oracles).toContain(findings[0]?.oracle);
  });
});
