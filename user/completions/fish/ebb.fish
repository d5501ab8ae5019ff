# SPDX-License-Identifier: GPL-2.0-only
# fish: what may follow `ebb`.

# Names of containers, from the ebbd that the command line means.
function __ebb_names
    set -l tokens (commandline -opc)
    set -l socket
    for i in (seq 2 (count $tokens))
        switch $tokens[$i]
            case '--socket=*' '--runtime-dir=*'
                set socket $tokens[$i]
            case --socket --runtime-dir
                set -l next (math $i + 1)
                test $next -le (count $tokens); and set socket $tokens[$i] $tokens[$next]
        end
    end
    timeout 2 $tokens[1] list -o name $socket 2>/dev/null | string match -r '^[A-Za-z0-9_.:/@+-]+$'
end

# The command on the line; none: status 1.
function __ebb_command
    set -l tokens (commandline -opc)
    set -l skip 0
    for token in $tokens[2..-1]
        if test $skip = 1
            set skip 0
            continue
        end
        switch $token
            case -o --output --sort --filter -n --count -d --delay --seconds --config --socket --runtime-dir
                set skip 1
            case '-*'
            case '*'
                echo $token
                return 0
        end
    end
    return 1
end

function __ebb_is
    set -l command (__ebb_command); and contains -- $command $argv
end

complete -c ebb -f
complete -c ebb -n 'not __ebb_command' -a list -d 'The containers: size, cold, taken, and why'
complete -c ebb -n 'not __ebb_command' -a top -d 'The containers live'
complete -c ebb -n 'not __ebb_command' -a status -d 'The machine, what was taken, what it cost'
complete -c ebb -n 'not __ebb_command' -a explain -d 'Why one container is treated as it is'
complete -c ebb -n 'not __ebb_command' -a doctor -d 'What this machine offers, and what would help'
complete -c ebb -n 'not __ebb_command' -a pause -d 'Take nothing'
complete -c ebb -n 'not __ebb_command' -a resume -d 'End a pause'
complete -c ebb -n 'not __ebb_command' -a record -d 'Write down what is decided, and on what'
complete -c ebb -n 'not __ebb_command' -a replay -d 'Decide again on what was recorded'
complete -c ebb -n 'not __ebb_command' -a version -d 'The versions of ebb and of ebbd'
complete -c ebb -n 'not __ebb_command' -a help -d 'More on one command'
complete -c ebb -n '__ebb_is help' -a 'list top status explain doctor pause resume record replay version'
complete -c ebb -n '__ebb_is explain pause resume' -a '(__ebb_names)'
complete -c ebb -n '__ebb_is record replay' -F

complete -c ebb -n 'not __ebb_is list' -s o -l output -x -a 'plain json' -d 'What to print'
complete -c ebb -n '__ebb_is list' -s o -l output -x -a 'plain json name' -d 'What to print'
complete -c ebb -l socket -r -F -d 'Where ebbd listens'
complete -c ebb -l runtime-dir -x -a '(__fish_complete_directories)' -d 'The same, as a folder'
complete -c ebb -s h -l help -d 'More on this command'
complete -c ebb -n 'not __ebb_command' -s V -l version -d 'The version of ebb'
complete -c ebb -n '__ebb_is list top' -l sort -x \
    -a 'size cold hot swap taken back stall age name state reason' -d 'What comes first'
complete -c ebb -n '__ebb_is list top' -l reverse -d 'The other way round'
complete -c ebb -n '__ebb_is list top' -l filter -x -a '(__ebb_names)' -d 'Only those that match'
complete -c ebb -n '__ebb_is top' -s b -l batch -d 'Plain text, one screen after the other'
complete -c ebb -n '__ebb_is top' -s n -l count -x -d 'End after so many screens'
complete -c ebb -n '__ebb_is record' -s n -l count -x -d 'End after so many turns'
complete -c ebb -n '__ebb_is record' -l seconds -x -d 'End after so many seconds'
complete -c ebb -n '__ebb_is replay' -l config -r -F -d 'What this one would have decided'
complete -c ebb -n '__ebb_is explain' -s w -l watch -d 'Look again and again'
complete -c ebb -n '__ebb_is explain top' -s d -l delay -x -d 'Seconds from one look to the next'
