#!/bin/sh
# Runs in the build's container: a real build of generated C. Usage: build.sh CACHE SECONDS FIRST
# CACHE is a volume that outlives the container, as a CI runner's is. It compiles units FIRST,
# FIRST + 1 and so on until SECONDS are over, at least two: how long one takes differs by a factor of
# ten with and without KVM. Prints how many there were.
set -eu
cache=$1 end=$(($(date +%s) + $2)) first=$3
here=$(cd "$(dirname "$0")" && pwd)

# The compiler comes out of the cache; the first build puts it there.
if [ ! -d "$cache/compiler" ]; then
	cp -r "$(dirname "$(gcc -print-prog-name=cc1)")" "$cache/compiler.new"
	mv "$cache/compiler.new" "$cache/compiler"
fi

mkdir -p "$cache/obj"
cd "$cache/obj"
cat >Makefile <<'MAKE'
MAKEFLAGS += -r
CFLAGS := -O1 -g
all: $(addsuffix .o,$(UNITS))
u%.o: u%.c
	gcc -B$(COMPILER)/ $(CFLAGS) -c -o $@ $<
.PRECIOUS: u%.c
u%.c:
	awk -v unit=$* -v functions=4 -f $(AWK) >$@
MAKE
n=$first
while [ "$n" = "$first" ] || [ "$(date +%s)" -lt "$end" ]; do
	make -s "-j$(nproc)" AWK="$here/unit.awk" COMPILER="$cache/compiler" UNITS="u$n u$((n + 1))"
	n=$((n + 2))
done
gcc -r -nostdlib -o "all-$first.o" u*.o
echo "$((n - first))"
