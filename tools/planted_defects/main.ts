/**
 * Plants each defect of the catalogue in our own verifier, lets campaigns look for it, prints what they took, and rewrites
 * docs/defects.md:
 *
 *     npm run defects                  all of it: the control, and every defect with every seed
 *     npm run defects -- NAME...       these defects only; `control` stands for the campaigns without a defect
 *     npm run defects -- --show NAME   the smallest program of the first seed, too
 */
import { writeFileSync } from 'node:fs';
import { shapeOf } from '../../src/fuzz/coverage.ts';
import { ORACLES } from '../../src/fuzz/oracle_names.ts';
import { bundle } from './bundle.ts';
import { CAMPAIGNS, type CampaignName } from './campaigns.ts';
import { CATALOGUE } from './catalogue/index.ts';
import type { Defect } from './defect.ts';
import { type Catch, Hunter, huntWithControl } from './hunt.ts';
import { DEFECTS_PAGE, defectsPage, type Result, type Results, readResults, SEEDS, writeResults } from './table.ts';

const CONTROL = 'control';
/** Programs of each seed in which the verifier as it is must show nothing. */
const CONTROL_PROGRAMS = 600;

async function huntDefect(defect: Defect, control: Hunter, shows: boolean): Promise<Result[]> {
  const hunter = new Hunter(await bundle(defect));
  const results: Result[] = [];
  const { budget, oracles, campaign } = defect;
  for (const seed of SEEDS) {
    if (isDecided(results)) break;
    const caught = await huntWithControl(hunter, control, { seed, budget, oracles, ...CAMPAIGNS[campaign] });
    results.push(caught === null ? null : { programs: caught.programs, oracle: caught.oracle });
    console.log(`${defect.name}, seed ${seed}: ${caughtText(caught, budget)}`);
    if (shows && caught !== null && seed === SEEDS[0]) console.log(caught.program);
  }
  await hunter.end();
  return results;
}

/** So many seeds found nothing that the median is decided. */
const isDecided = (results: readonly Result[]): boolean => results.filter((result) => result === null).length > SEEDS.length / 2;

const caughtText = (caught: Catch | null, budget: number): string =>
  caught === null ? `not found within ${budget}` : `${caught.programs} (${caught.oracle}: ${caught.message.slice(0, 160)})`;

async function runControl(hunter: Hunter): Promise<Results['clean']> {
  const clean: Record<string, { programs: number; findings: string[] }> = {};
  for (const name of Object.keys(CAMPAIGNS) as CampaignName[]) {
    const findings: string[] = [];
    let programs = 0;
    for (const seed of SEEDS) {
      for (let from = 0; from < CONTROL_PROGRAMS; ) {
        const caught = await hunter.hunt({ seed, from, budget: CONTROL_PROGRAMS, oracles: ORACLES, ...CAMPAIGNS[name] });
        console.log(`no defect, campaign ${name}, seed ${seed}: ${caughtText(caught, CONTROL_PROGRAMS)}`);
        if (caught !== null)
          findings.push(`${caught.oracle}: ${shapeOf(caught.message)} (seed ${seed}, program ${caught.programs})`);
        from = caught?.programs ?? CONTROL_PROGRAMS;
      }
      programs += CONTROL_PROGRAMS;
    }
    clean[name] = { programs, findings };
  }
  return clean;
}

const words = process.argv.slice(2);
const names = words.filter((word) => word !== '--show');
const unknown = names.filter((word) => word !== CONTROL && !CATALOGUE.some(({ name }) => name === word));
if (unknown.length > 0) throw new Error(`no planted defect is called ${unknown.join(', ')}`);
const wants = (name: string): boolean => names.length === 0 || names.includes(name);

let results = readResults();
const keep = (more: Partial<Results>): void => {
  results = { ...results, ...more };
  writeResults(results);
  writeFileSync(DEFECTS_PAGE, defectsPage(results));
};
const control = new Hunter(await bundle(null));
if (wants(CONTROL)) keep({ clean: await runControl(control) });
for (const defect of CATALOGUE.filter(({ name }) => wants(name))) {
  const found = await huntDefect(defect, control, words.includes('--show'));
  keep({ defects: { ...results.defects, [defect.name]: found } });
}
await control.end();
