import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { worldJsonSchema } from '../../src/world/json_schema.ts';

const published = JSON.parse(readFileSync(new URL('../../docs/world.schema.json', import.meta.url), 'utf8'));

it('the published schema is that of the reader', () => {
  expect(published).toEqual(JSON.parse(JSON.stringify(worldJsonSchema())));
});

it('says what is required, what is left out by default, and what is meant', () => {
  const task = published.properties.tasks.items;
  expect([task.required, task.additionalProperties, task.properties.kthread.default]).toEqual([['pid'], false, false]);
  expect(task.properties.maps.description).toBe('memory areas, lowest first, as in /proc/PID/maps');
  expect(published.properties.locks.items.anyOf).toHaveLength(5);
});
