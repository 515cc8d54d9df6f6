export { ITER_TARGETS } from './targets.ts';
