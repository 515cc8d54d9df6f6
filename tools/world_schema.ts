/** Writes docs/world.schema.json from the schema of world files: npx tsx tools/world_schema.ts */
import { writeFileSync } from 'node:fs';
import { worldJsonSchema } from '../src/world/json_schema.ts';

writeFileSync(new URL('../docs/world.schema.json', import.meta.url), `${JSON.stringify(worldJsonSchema(), null, 2)}\n`);
