import { FUNCTIONS } from './cases/functions.ts';
import { testCases } from './fixture.ts';

testCases('functions of the program', FUNCTIONS);
