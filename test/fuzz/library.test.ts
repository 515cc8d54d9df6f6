import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assemble } from '../../src/asm/assemble.ts';
import { disassemble } from '../../src/asm/disassemble.ts';
import { openBundledProfile } from '../../src/cli/bundled_kernel.ts';
import { PALETTE } from '../../src/fuzz/generate/palette.ts';
import { FuzzKernel, generateObject, mapEntries, objects, packets, programs, worlds } from '../../src/fuzz/index.ts';
import { run, verify } from '../../src/index.ts';
import { Machine } from '../../src/vm/machine.ts';
import { openWorld } from '../../src/world/build.ts';

const ROOT = join(import.meta.dirname, '../..');

describe('the chapter about fuzzing', () => {
  // docs
  const profile = openBundledProfile();
  const filters = programs(new FuzzKernel(profile), { size: 12, sections: ['xdp'], features: { packet: 4, alu: 4, branch: 4 } });

  it('what the verifier accepts runs over any packet without a fault', () => {
    const holds = fc.property(filters, packets(), ({ program }, data) => {
      fc.pre(verify(program, profile).verdict === 'accept');
      return run(program, profile, { data }).fault === null;
    });
    fc.assert(holds, { numRuns: 40 });
  });
  // end
  it('shows this property', () => {
    const code = /\n {2}\/\/ docs\n(.*?)\n {2}\/\/ end\n/s.exec(readFileSync(import.meta.filename, 'utf8'))![1]!;
    expect(readFileSync(join(ROOT, 'docs/fuzzing.md'), 'utf8')).toContain(code.replace(/^ {2}/gm, ''));
  });
});

const profile = openBundledProfile();
const kernel = new FuzzKernel(profile);

describe('objects', () => {
  it('hold programs that verify over shared maps, and come back from their text', () => {
    let accepted = 0;
    let shared = 0;
    for (let seed = 1; seed <= 25; seed++) {
      const object = generateObject(kernel, seed, { size: 12 });
      for (const program of object.programs) {
        expect(program.maps).toBe(object.maps);
        if (verify(program, profile).verdict === 'accept') accepted++;
      }
      if (object.programs.length > 1 && object.maps.length > 0) shared++;
      const back = assemble(disassemble(object, { profile }), object.name, { profile });
      expect(back.programs.map(({ insns }) => insns)).toEqual(object.programs.map(({ insns }) => insns));
    }
    expect(accepted).toBeGreaterThan(20);
    expect(shared).toBeGreaterThan(5);
  });
  it('are an arbitrary', () => {
    fc.assert(
      fc.property(objects(kernel, { size: 6 }), ({ programs }) => programs.length >= 1 && programs.length <= 4),
      { numRuns: 10 },
    );
  });
});

describe('worlds', () => {
  it('are world files', () => {
    const build = fc.property(worlds(), (world) => {
      const { system } = openWorld(JSON.stringify(world), 'world.yaml', profile, { memoryLimit: 16 << 20 });
      expect(system.machine.task.pid).toBe(world.current);
      system.machine.release();
    });
    fc.assert(build, { numRuns: 40 });
  });
});

describe('entries', () => {
  it('fit into their maps', () => {
    for (const name of ['array', 'hash', 'lru']) {
      const def = PALETTE.map(({ make }) => make()).find((map) => map.name === name)!;
      fc.assert(
        fc.property(mapEntries(def), (entries) => {
          const map = new Machine(profile, { memoryLimit: 4 << 20 }).maps.of(def);
          return entries.every(({ key, value }) => map.userUpdate(key, value) === 0);
        }),
        { numRuns: 10 },
      );
    }
  });
});
