/**
 * Builds dist/ as rolldown.config.ts says, and prints nothing when all is well:
 *
 *     npx tsx tools/build.ts
 */
import { join } from 'node:path';
import { build } from 'rolldown';
import config from '../rolldown.config.ts';

process.chdir(join(import.meta.dirname, '..'));
await build(config);
