#!/bin/sh
# Makes ../sort.wasm of sort.c: clang and wasm-ld make a core module, reviver makes a component of it.
#
#   -nostdlib -ffreestanding   no C library: what is not there cannot be imported by accident
#   -fno-builtin               loops stay loops, and are not made calls of a memcpy that is not there
#   -mcpu=mvp                  the instructions that WebAssembly had from the beginning
#   -fno-ident, --strip-debug  nothing of this machine gets into the bytes
#   --no-entry                 there is no main
#   --stack-first              an overflow of the stack traps instead of writing over other data
set -eu
cd "$(dirname "$0")"
output=${1:-../sort.wasm}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

"${CLANG:-clang}" --target=wasm32 -mcpu=mvp -std=c11 -O2 -Wall -Wextra -Werror \
    -nostdlib -ffreestanding -fno-builtin -fno-ident -c sort.c -o "$scratch/sort.o"
"${WASM_LD:-wasm-ld}" --no-entry --stack-first -z stack-size=65536 --strip-debug \
    "$scratch/sort.o" -o "$scratch/sort.wasm"
"${REVIVER:-reviver}" plugin build "$scratch/sort.wasm" --role key -o "$output"
