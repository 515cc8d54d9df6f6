#!/bin/sh
# Builds the objects that stand beside their sources. Needs clang; CLANG names another one.
cd "$(dirname "$0")" || exit
for source in *.c; do
	"${CLANG:-clang}" -O2 -g --target=bpf -mcpu=v3 -ffile-prefix-map="$PWD"=. -c "$source" -o "${source%.c}.o" || exit
done
