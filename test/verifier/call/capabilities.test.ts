import { CAPABILITIES } from './cases/capabilities.ts';
import { testCases } from './fixture.ts';

testCases('calls by loaders with few capabilities', CAPABILITIES);
