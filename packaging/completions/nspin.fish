# fish completion for nspin.
# The table below is written by build/completions.ts from that of nspin's help.

function __nspin_commands
@descriptions@
end

# COMMAND: what it takes; in the caller's options, kinds (OPTION=KIND of its value), lead, operands
function __nspin_table --no-scope-shadowing
    switch $argv[1]
@commands@
        case '*'
            return 1
    end
end

function __nspin_value # KIND PREFIX WORD: what of WORD stands behind PREFIX
    set -l values
    switch $argv[1]
        case netns
            set values /run/netns/*
            set values (path basename -- $values)
        case profile
            set values /etc/nspin/*.toml
            set values @(path basename -- $values | path change-extension '')
        case pair
            set -l source (string match -r '.*:' -- $argv[3])
            set -l rest (string replace -r '.*:' '' -- $argv[3])
            set values $source(__fish_complete_path $rest | string replace -r '\t.*' '')
            test -n "$source"; or set values (__fish_complete_path $rest | string replace -r '\t.*' '')
        case file
            set values (__fish_complete_path $argv[3] | string replace -r '\t.*' '')
        case directory
            set values (__fish_complete_directories $argv[3] '')
        case user
            set values (__fish_complete_users | string replace -r '\t.*' '')
        case command
            set values (__nspin_commands)
        case ':*'
            set values (string split ' ' -- (string sub -s 2 -- $argv[1]))
    end
    for value in $values
        echo -- $argv[2]$value
    end
end

function __nspin_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l cursor (math (count $words) + 1)
    if test $cursor -eq 2
        __nspin_commands
        printf '%s\n' --help --version
        return
    end
    set -l options
    set -l kinds
    set -l lead 0
    set -l operands
    __nspin_table $words[2]; or return
    set -l at (math 3 + $lead)
    if contains -- $words[2] @profiled@
        if test $cursor -eq 3; and string match -q '@*' -- $current
            __nspin_value profile '' $current
            return
        end
        string match -q '@*' -- $words[3]; and set at (math $at + 1)
    end
    if test $cursor -lt $at
        __nspin_value $operands[(math $cursor - 2)] '' $current
        return
    end
    set -l kind
    set -l ended
    while test $at -lt $cursor
        set -l word $words[$at]
        switch $word
            case --
                set ended yes
                set at (math $at + 1)
                break
            case - # '?' is no pattern from fish 4 on
                break
            case '-*=*'
            case '-*'
                if set kind (string match -- "$word=*" $kinds)
                    set at (math $at + 1)
                end
            case '*'
                break
        end
        set at (math $at + 1)
    end
    if test $at -gt $cursor
        __nspin_value (string replace -r '^[^=]*=' '' -- $kind) '' $current
    else if test $at -eq $cursor -a -z "$ended"; and string match -q -- '--*=*' $current
        set -l option (string replace -r '=.*' '' -- $current)
        set kind (string match -- "$option=*" $kinds)
        __nspin_value (string replace -r '^[^=]*=' '' -- $kind) "$option=" (string replace -r '^[^=]*=' '' -- $current)
    else if test $at -eq $cursor -a -z "$ended"; and string match -q -- '-*' $current
        printf '%s\n' $options
    else
        set -l operand (math $lead + 1)
        while test $operand -lt (count $operands) -a $at -lt $cursor
            set operand (math $operand + 1)
            set at (math $at + 1)
        end
        set kind $operands[$operand]
        if test "$kind" = program
            set -l rest $words[$at..-1]
            test $at -lt $cursor; or set rest
            complete -C "$(string escape -- $rest | string join ' ') $current"
        else if test $at -eq $cursor; or string match -q -- '*...' $kind
            __nspin_value (string replace ... '' -- $kind) '' $current
        end
    end
end

complete -c nspin -f -a '(__nspin_complete)'
