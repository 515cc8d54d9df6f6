/**
 * Takes a snapshot of every process of this machine and compares what iterators write over it with the text of /proc, line by line.
 * A process that changes while it is read is read again, and listed when it goes on changing.
 *
 *   npm run snapshot:check
 */
import { openBundledProfile } from '../../src/cli/bundled_kernel.ts';
import { localFiles } from '../../src/cli/snapshot_command.ts';
import { readProcesses } from '../../src/world/snapshot.ts';
import { checkSnapshot } from './check.ts';

const reading = readProcesses(localFiles);
if ('errno' in reading) {
  console.log(`/proc cannot be read (${reading.errno}): 0 processes compared`);
} else {
  const check = checkSnapshot(reading.captures, localFiles, openBundledProfile());
  const { processes, threads, descriptors, areas, lines, mismatches, changed, unread } = check;
  for (const { pid, walk, line, proc, iterator } of mismatches) {
    console.log(`${pid} ${walk}, line ${line}\n  /proc    ${JSON.stringify(proc)}\n  iterator ${JSON.stringify(iterator)}`);
  }
  for (const what of unread) console.log(`not readable: ${what}`);
  for (const pid of changed) console.log(`went on changing: ${pid}`);
  console.log(`${processes} processes, ${threads} threads, ${descriptors} descriptors, ${areas} areas: ${lines} lines compared`);
  console.log(
    `${mismatches.length} differ; ${changed.length} processes went on changing, ${reading.gone.length} ended, ${unread.length} things not readable`,
  );
  process.exitCode = mismatches.length === 0 ? 0 : 1;
}
