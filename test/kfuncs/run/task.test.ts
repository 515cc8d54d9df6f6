import { describe, expect, it } from 'vitest';
import type { KernelModel } from '../../../src/kernel/kernel_model.ts';
import { TestHost } from '../../helpers/host.ts';
import { addProcess, addThread, runKernelText } from '../../kernel/program.ts';
import { print } from './print.ts';

const PF_KTHREAD = 0x200000;
const world = (kernel: KernelModel): void => {
  const leader = addProcess(kernel, 40);
  addThread(kernel, leader, 41);
  addProcess(kernel, 50, [], PF_KTHREAD);
  addProcess(kernel, 1);
};

describe('bpf_send_signal_task', () => {
  it.each([
    ['to a thread', 41, 10, 0, 0, { pid: 41, thread: true }],
    ['to the group of a thread', 41, 10, 1, 0, { pid: 40, thread: false }],
    ['of number 0 is none', 41, 0, 0, 0, null],
    ['beyond the last', 41, 65, 0, -22, null],
    ['to a session', 41, 10, 3, -22, null],
    ['to a thread of the kernel', 50, 10, 0, -1, null],
    ['to process 1', 1, 10, 0, -1, null],
  ])('a signal %s', (_rule, pid, signal, type, result, sent) => {
    const { printk, outcomes } = runKernelText(
      `.section "tp_btf/sched_switch"\n.program p
      r1 = ${pid}; call bpf_task_from_pid
      if r0 == 0 goto out
      r6 = r0
      r1 = r6; r2 = ${signal}; r3 = ${type}; r4 = 0; call bpf_send_signal_task
      r7 = r0
      r1 = r6; call bpf_task_release
      ${print('r7')}
      out:
      r0 = 0; exit`,
      { world },
    );
    expect(printk).toEqual([String(result)]);
    expect(outcomes).toEqual(sent === null ? [] : [{ kind: 'signal', signal, ...sent }]);
  });
});

describe('bpf_probe_write_user', () => {
  it.each([
    ['where it may be written', 0x10000n, true, false, 0n],
    ['where it may not be written', 0x10000n, false, false, -14n],
    ['into the kernel', 0xffff888000000000n, true, false, -14n],
    ['on behalf of nobody', 0x10000n, true, true, -1n],
  ])('writes %s', (_rule, address, writable, inInterrupt, result) => {
    const host = new TestHost();
    const written: number[] = [];
    host.state.inInterrupt = inInterrupt;
    host.task.user.write = (_lo, _hi, bytes) => {
      if (writable) written.push(...bytes);
      return writable;
    };
    expect(host.run('bpf_probe_write_user', [address, host.place(Uint8Array.of(1, 2)), 2])).toBe(result);
    expect(written).toEqual(result === 0n ? [1, 2] : []);
  });
});

it('a session keeps its cookie', () => {
  const text = `
    .section "kprobe.session/do_nanosleep"
    .program p
    call bpf_session_is_return
    r6 = r0
    call bpf_session_cookie
    r1 = *(u64 *)(r0 + 0)
    r1 += 5
    *(u64 *)(r0 + 0) = r1
    call bpf_session_cookie
    r7 = *(u64 *)(r0 + 0)
    ${print('r6')}
    ${print('r7')}
    r0 = 0; exit`;
  expect(runKernelText(text).printk).toEqual(['0', '5']);
});

it.each(['timestamp', 'hash', 'vlan_tag'])('the device tells nothing of the %s of a frame', (what) => {
  expect(new TestHost().runKfunc(`bpf_xdp_metadata_rx_${what}`, [0, 0, 0])).toBe(-95n);
});
