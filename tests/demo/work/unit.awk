# Writes one unit of a program in C: `functions` small state machines over a table of their own,
# each calling an earlier one. -v unit=N makes each unit another.
function rnd(n) {
	seed = (seed * 1103515245 + 12345) % 2147483648
	return int(seed / 65536) % n
}
BEGIN {
	seed = unit * 7919 + 17
	print "#include <stdint.h>\n#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n"
	print "struct record { uint32_t key, next; uint64_t sum; char name[16]; };\n"
	for (f = 0; f < functions; f++) {
		printf "static const uint32_t table_%d[64] = {", f
		for (i = 0; i < 64; i++)
			printf "%s%d,", i % 12 ? " " : "\n\t", rnd(32768) * 4096 + rnd(4096)
		print "\n};\n"
		printf "uint64_t u%d_step_%d(struct record *r, size_t n, uint32_t seed)\n{\n", unit, f
		print "\tuint64_t sum = seed;\n\n\tfor (size_t i = 0; i < n; i++) {"
		printf "\t\tswitch (table_%d[(r[i].key ^ seed) & 63] %% %d) {\n", f, 5 + rnd(6)
		for (c = 0; c < 5; c++) {
			printf "\t\tcase %d:\n", c
			printf "\t\t\tr[i].sum += table_%d[(r[i].next + %d) & 63] * %dull;\n", f, rnd(64), 3 + rnd(1000)
			printf "\t\t\tr[i].key = (r[i].key << %d) | (r[i].key >> %d);\n", 1 + rnd(15), 17 + rnd(14)
			if (f > 0 && c == rnd(5))
				printf "\t\t\tsum ^= u%d_step_%d(r + i, n > i ? (n - i) / 2 : 0, seed + %d);\n", unit, rnd(f), rnd(999)
			print "\t\t\tbreak;"
		}
		print "\t\tdefault:\n\t\t\tsnprintf(r[i].name, sizeof(r[i].name), \"%u\", r[i].key);\n\t\t}"
		print "\t\tsum = sum * 31 + r[i].sum;\n\t}\n\treturn sum;\n}\n"
	}
}
