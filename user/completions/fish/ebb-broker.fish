# SPDX-License-Identifier: GPL-2.0-only
# fish: what may follow `ebb-broker`.
complete -c ebb-broker -f
complete -c ebb-broker -n __fish_use_subcommand -a status -d 'What the running broker knows'
complete -c ebb-broker -n __fish_use_subcommand -a check -d 'Are the VMs set up so that memory comes back?'
complete -c ebb-broker -l vm -x -d 'name=NAME,vmm=VMM,channel=SOCKET,min=SIZE,max=SIZE'
complete -c ebb-broker -l config -r -F -d 'Options and VMs'
complete -c ebb-broker -l watch -x -a '(__fish_complete_directories)' -d 'A folder of NAME.vm files'
complete -c ebb-broker -l reserve -x -d 'Host memory to stay available'
complete -c ebb-broker -l budget -x -d 'What all VMs may have in sum'
complete -c ebb-broker -l socket -r -F -d 'For status'
complete -c ebb-broker -l listen -x -d 'ADDRESS:PORT of metrics'
complete -c ebb-broker -l check-config -d 'Look at the configuration and end'
complete -c ebb-broker -l dry-run -d 'Decide and report, change nothing'
complete -c ebb-broker -s o -x -a 'plain json' -d 'What status and check print'
complete -c ebb-broker -l verbose
complete -c ebb-broker -l help
complete -c ebb-broker -l version
