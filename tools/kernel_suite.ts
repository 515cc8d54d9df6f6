/**
 * Compares verdicts, messages, counts and (with --logs) logs with what a real kernel was recorded to say of its own tests:
 *
 *     npm run suite [-- --logs | --speed | --only SUBSTRING …]
 *
 * Wants a built dist/. The comparer is `score.mjs` in the folder that $KERNEL_SUITE names, or in the one beside this repository; the
 * recordings are where it looks for them ($KERNEL_SUITE_DIR). Where they are missing, it says so and nothing fails.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const suite = process.env['KERNEL_SUITE'] ?? join(root, '../shared/kernel-suite');
const recordings = process.env['KERNEL_SUITE_DIR'] ?? join(homedir(), '.cache/kernel-suite');
const comparer = join(suite, 'score.mjs');

const missing = !existsSync(comparer)
  ? `no ${comparer}`
  : !existsSync(recordings) || !readdirSync(recordings).some((file) => file.endsWith('.jsonl'))
    ? `no recordings in ${recordings}`
    : null;
if (missing !== null) {
  console.log(`kernel suite skipped: ${missing}`);
} else {
  const { status } = spawnSync(process.execPath, [comparer, ...process.argv.slice(2)], { cwd: root, stdio: 'inherit' });
  process.exitCode = status ?? 1;
}
