#!/usr/bin/env node
import module from 'node:module';
import { CommanderError } from 'commander';
import { EXIT } from './exit.ts';
import { reportProblem } from './problem.ts';
import { buildProgram } from './program.ts';

// Node 22 and later keep compiled code on disk, which halves the cold start
(module as { enableCompileCache?: () => unknown }).enableCompileCache?.();

try {
  await buildProgram((status) => {
    process.exitCode = status;
  }).parseAsync();
} catch (error) {
  // commander has said what it is about
  if (!(error instanceof CommanderError)) process.exitCode = reportProblem(error);
  else process.exitCode = error.exitCode === 0 ? EXIT.good : EXIT.question;
}
