import { HELPER_ARGS } from './cases/helper_args.ts';
import { testCases } from './fixture.ts';

testCases('arguments of helpers', HELPER_ARGS);
