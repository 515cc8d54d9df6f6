import type { HostCall } from '../../contracts/host_call.ts';
import { SOCKETS, type Socket, type SocketSpec, type Tuple } from '../../kernel/sockets.ts';

/** Sockets. Source: net/core/filter.c, net/core/sock_diag.c. */

/** sizes of the two forms of `struct bpf_sock_tuple` */
const TUPLE4_BYTES = 12;
const TUPLE6_BYTES = 36;
/** what the kernel calls a user that it has no number for */
const OVERFLOW_UID = 65534;
/** cookie of the first network namespace, in which everything happens */
const INIT_NET_COOKIE = 1n;

/** The socket that argument `index` points to; null for NULL. */
export const socketOf = (call: HostCall, index: number): Socket | null => call.part(SOCKETS).at(call.argU32(index));

function tupleAt(bytes: Uint8Array): Tuple {
  const width = bytes.length === TUPLE4_BYTES ? 4 : 16;
  const port = (at: number): number => (bytes[at]! << 8) | bytes[at + 1]!;
  return {
    source: { address: [...bytes.subarray(0, width)], port: port(2 * width) },
    destination: { address: [...bytes.subarray(width, 2 * width)], port: port(2 * width + 2) },
  };
}

/** ctx, tuple, tuple_size, netns, flags: only one network namespace has sockets, which numbers below zero mean */
const looking =
  (protocol: SocketSpec['protocol']) =>
  (call: HostCall): void => {
    const size = call.argU32(2);
    const bytes = call.bytes(1, size).slice();
    const isOwnNetns = call.argLo(3) < 0;
    const known = size === TUPLE4_BYTES || size === TUPLE6_BYTES;
    if (!known || !call.argIsNull(4) || !isOwnNetns) return call.setReturnPointer(0);
    const socket = call.part(SOCKETS).find(protocol, size === TUPLE4_BYTES ? 4 : 6, tupleAt(bytes));
    if (socket !== null && !socket.isRcuFreed) socket.references++;
    call.setReturnPointer(socket?.offset ?? 0);
  };

export const skLookupTcp = looking('tcp');
export const skLookupUdp = looking('udp');

export function skRelease(call: HostCall): void {
  const socket = socketOf(call, 0);
  if (socket !== null && !socket.isRcuFreed) socket.references--;
  call.setReturn(0, 0);
}

/** The socket that a test run gives its packet is a full one of no protocol. */
export const skFullsock = (call: HostCall): void => call.setReturnPointer(socketOf(call, 0)?.offset ?? call.argU32(0));
export const tcpSock = (call: HostCall): void => call.setReturnPointer(socketOf(call, 0)?.tcp ?? 0);

export function getListenerSock(call: HostCall): void {
  const socket = socketOf(call, 0);
  call.setReturnPointer(socket?.isListener === true ? socket.offset : 0);
}

/** The kernel's struct of a socket that is of this kind. */
const casting =
  (isKind: (socket: Socket) => boolean) =>
  (call: HostCall): void => {
    const socket = socketOf(call, 0);
    call.setReturnPointer(socket !== null && isKind(socket) ? socket.kernel : 0);
  };

export const skcToTcpSock = casting(({ isTcp }) => isTcp);
export const skcToTcp6Sock = casting(({ isTcp, spec }) => isTcp && spec.family === 6);
export const skcToUdp6Sock = casting(({ isTcp, spec }) => !isTcp && spec.family === 6);
/** Sockets that wait, ask, are local or of several paths are not modelled: none is one. */
export const skcToOther = casting(() => false);

const cookieOf = (call: HostCall, socket: number): void =>
  call.setReturnBigint(socket === 0 ? 0n : call.part(SOCKETS).cookieOf(socket));

/** of the socket of the packet; 0 without one */
export const getSocketCookie = (call: HostCall): void => cookieOf(call, call.packet?.skb?.sk ?? 0);
/** of the socket that the context stands for */
export const getContextCookie = (call: HostCall): void => cookieOf(call, call.contextOffset);
export const getSocketPtrCookie = (call: HostCall): void => cookieOf(call, call.argU32(0));

export function getSocketUid(call: HostCall): void {
  const socket = call.packet?.skb?.sk ?? 0;
  call.setReturnNumber(socket === 0 ? OVERFLOW_UID : (call.part(SOCKETS).at(socket)?.spec.uid ?? 0));
}

export const getNetnsCookie = (call: HostCall): void => call.setReturnBigint(INIT_NET_COOKIE);
