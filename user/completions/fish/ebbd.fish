# SPDX-License-Identifier: GPL-2.0-only
# fish: what may follow `ebbd`.
complete -c ebbd -f
complete -c ebbd -l config -r -F -d 'Options'
complete -c ebbd -l check-config -d 'Look at the configuration and end'
complete -c ebbd -l dry-run -d 'Decide and report, change nothing'
complete -c ebbd -l state-dir -x -a '(__fish_complete_directories)' -d 'Journal'
complete -c ebbd -l runtime-dir -x -a '(__fish_complete_directories)' -d 'Socket'
complete -c ebbd -l verbose -d 'Say what is decided, and why'
complete -c ebbd -l help
complete -c ebbd -l version
