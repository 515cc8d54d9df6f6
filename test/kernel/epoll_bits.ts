/** EPOLL* of include/uapi/linux/eventpoll.h. */
export const EPOLL = {
  IN: 0x1,
  OUT: 0x4,
  ERR: 0x8,
  HUP: 0x10,
  RDNORM: 0x40,
  WRNORM: 0x100,
  ONESHOT: 1 << 30,
  ET: 2 ** 31,
} as const;
