import type { Kfunc } from '../contracts/kfunc.ts';
import { EVERYONE } from './availability.ts';

/** Strings at addresses that may be bad. */
export const stringKfuncs: readonly Kfunc[] = [
  {
    name: 'bpf_strcmp',
    summary: 'Compares two strings.',
    declaration: 'int bpf_strcmp(const char *s1__ign, const char *s2__ign)',
    flags: [],
    available: EVERYONE,
  },
  {
    name: 'bpf_strcasecmp',
    summary: 'Compares two strings without regard to case.',
    declaration: 'int bpf_strcasecmp(const char *s1__ign, const char *s2__ign)',
    flags: [],
    available: EVERYONE,
  },
  {
    name: 'bpf_strchr',
    summary: 'Index of a character in a string.',
    declaration: 'int bpf_strchr(const char *s__ign, char c)',
    flags: [],
    available: EVERYONE,
  },
  {
    name: 'bpf_strchrnul',
    summary: 'Index of a character in a string, or of its end.',
    declaration: 'int bpf_strchrnul(const char *s__ign, char c)',
    flags: [],
    available: EVERYONE,
  },
  {
    name: 'bpf_strnchr',
    summary: 'Index of a character in the first bytes of a string.',
    declaration: 'int bpf_strnchr(const char *s__ign, size_t count, char c)',
    flags: [],
    available: EVERYONE,
  },
  {
    name: 'bpf_strrchr',
    summary: 'Index of the last such character in a string.',
    declaration: 'int bpf_strrchr(const char *s__ign, int c)',
    flags: [],
    available: EVERYONE,
  },
  {
    name: 'bpf_strlen',
    summary: 'Length of a string.',
    declaration: 'int bpf_strlen(const char *s__ign)',
    flags: [],
    available: EVERYONE,
  },
  {
    name: 'bpf_strnlen',
    summary: 'Length of a string, at most a limit.',
    declaration: 'int bpf_strnlen(const char *s__ign, size_t count)',
    flags: [],
    available: EVERYONE,
  },
  {
    name: 'bpf_strspn',
    summary: 'Length of the start of a string that has only certain characters.',
    declaration: 'int bpf_strspn(const char *s__ign, const char *accept__ign)',
    flags: [],
    available: EVERYONE,
  },
  {
    name: 'bpf_strcspn',
    summary: 'Length of the start of a string that has none of certain characters.',
    declaration: 'int bpf_strcspn(const char *s__ign, const char *reject__ign)',
    flags: [],
    available: EVERYONE,
  },
  {
    name: 'bpf_strstr',
    summary: 'Index of a string in another.',
    declaration: 'int bpf_strstr(const char *s1__ign, const char *s2__ign)',
    flags: [],
    available: EVERYONE,
  },
  {
    name: 'bpf_strnstr',
    summary: 'Index of a string in the first bytes of another.',
    declaration: 'int bpf_strnstr(const char *s1__ign, const char *s2__ign, size_t len)',
    flags: [],
    available: EVERYONE,
  },
];
