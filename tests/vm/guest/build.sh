# shellcheck shell=bash
# A build in a group of its own (guest/build): for scenarios with `# image: demo`.

# build_prepare DIR: a compiler whose pages nobody has read yet, so that they are the build's.
build_prepare()
{
	mkdir -p "$1"
	cp -r "$(dirname "$(gcc -print-prog-name=cc1)")" "$1/compiler"
	drop_caches
}

# build_start GROUP DIR COPIES UNITS [PAUSE]: in the background; its pid is in CG_PID.
build_start()
{
	cg_run "$1" bash /ebb/tests/guest/build "${@:2}"
}
