# SPDX-License-Identifier: GPL-2.0-only
# Names files over 400 lines and functions over 60: each is usually two. Kernel style makes a
# function end where a line is a lone brace that a lone brace had opened.
function file_ends()
{
	if (lines > 400)
		printf "  %s: %d lines\n", name, lines
}
FNR == 1 {
	file_ends()
	name = FILENAME
	start = 0
}
{ lines = FNR }
/^\{$/ { start = FNR }
/^\}$/ {
	if (start && FNR - start > 60)
		printf "  %s:%d: a function of %d lines\n", name, start, FNR - start - 1
	start = 0
}
END { file_ends() }
