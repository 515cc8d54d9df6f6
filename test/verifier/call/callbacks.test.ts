import { CALLBACKS } from './cases/callbacks.ts';
import { testCases } from './fixture.ts';

testCases('callbacks', CALLBACKS);
