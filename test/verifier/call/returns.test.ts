import { RETURNS } from './cases/returns.ts';
import { testCases } from './fixture.ts';

testCases('returns', RETURNS);
