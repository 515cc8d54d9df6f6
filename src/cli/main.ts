#!/usr/bin/env node
import { CommanderError } from 'commander';
import { EXIT } from './exit.ts';
import { reportProblem } from './problem.ts';
import { buildProgram } from './program.ts';

try {
  await buildProgram((status) => {
    process.exitCode = status;
  }).parseAsync();
} catch (error) {
  // commander has said what it is about
  if (!(error instanceof CommanderError)) process.exitCode = reportProblem(error, 'drybpf');
  else process.exitCode = error.exitCode === 0 ? EXIT.good : EXIT.question;
}
