import type { Helper } from '../contracts/helper.ts';
import { to } from './availability.ts';
import { anything, context, INTEGER, proto } from './spec.ts';

/** Remote controls. */
export const lircHelpers: readonly Helper[] = [
  {
    id: 77,
    name: 'bpf_rc_repeat',
    summary: 'Reports that the last key is repeated.',
    protos: [proto('rc_repeat_proto', [context('ctx')], INTEGER, { gplOnly: true })],
    available: [to(['lirc_mode2'], 'rc_repeat_proto')],
  },
  {
    id: 78,
    name: 'bpf_rc_keydown',
    summary: 'Reports a key press.',
    protos: [
      proto('rc_keydown_proto', [context('ctx'), anything('protocol'), anything('scancode'), anything('toggle')], INTEGER, {
        gplOnly: true,
      }),
    ],
    available: [to(['lirc_mode2'], 'rc_keydown_proto')],
  },
  {
    id: 92,
    name: 'bpf_rc_pointer_rel',
    summary: 'Reports a pointer movement.',
    protos: [proto('rc_pointer_rel_proto', [context('ctx'), anything('rel_x'), anything('rel_y')], INTEGER, { gplOnly: true })],
    available: [to(['lirc_mode2'], 'rc_pointer_rel_proto')],
  },
];
