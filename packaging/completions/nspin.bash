# bash completion for nspin; by the package bash-completion.
# The table below is written by build/completions.ts from that of nspin's help.

# shellcheck shell=bash disable=SC2034 # what the table sets is the caller's

_nspin_table() { # COMMAND: what it takes; in options, kinds (of the value of each that has one), lead, operands
    case $1 in
@commands@
    *) return 1 ;;
    esac
}

_nspin_words() { # WORD...: not by compgen -W, which expands what it is given
    local word before=${cur%"${cur##*:}"} # which readline takes for a word of its own
    for word in "$@"; do
        [[ $word == "$cur"* ]] && COMPREPLY+=("$(printf %q "${word#"$before"}")")
    done
}

_nspin_value() { # KIND
    local names
    case $1 in
    netns)
        names=(/run/netns/*)
        [[ -e ${names[0]} ]] && _nspin_words "${names[@]##*/}"
        ;;
    profile)
        names=(/etc/nspin/*.toml)
        [[ -e ${names[0]} ]] || return
        names=("${names[@]##*/}")
        names=("${names[@]%.toml}")
        _nspin_words "${names[@]/#/@}"
        ;;
    pair)
        cur=${cur##*:}
        _filedir
        ;;
    user) mapfile -t COMPREPLY < <(compgen -u -- "$cur") ;;
    file) _filedir ;;
    directory) _filedir -d ;;
    command) _nspin_words @names@ ;;
    =*)
        read -ra names <<<"${1#=}"
        _nspin_words "${names[@]}"
        ;;
    esac
}

_nspin_program() { # INDEX, among words: what stands there is a command line of its own
    local at=0 i word
    for ((i = 0; i < $1; i++)); do # COMP_WORDS has pieces of words, at = and :
        word=
        while ((at <= COMP_CWORD)) && [[ $word != "${words[i]}" ]]; do
            word+=${COMP_WORDS[at++]}
        done
    done
    _command_offset "$at"
}

_nspin() {
    local cur prev words cword split
    _init_completion -s -n :@ || return
    if ((cword == 1)); then
        _nspin_words @names@ --help --version
        return
    fi
    local options lead operands i ended=
    local -A kinds=()
    _nspin_table "${words[1]}" || return
    ((i = 2 + lead))
    if [[ " @profiled@ " == *" ${words[1]} "* && ${words[2]} == '@'* ]]; then
        if ((cword == 2)); then
            _nspin_value profile
            return
        fi
        ((i++))
    fi
    if ((cword < i)); then
        _nspin_value "${operands[cword - 2]}"
        return
    fi
    for (( ; i < cword; i++)); do
        case ${words[i]} in
        --)
            ended=1
            ((i++))
            break
            ;;
        -*=*) ;;
        -?*) [[ -n ${kinds[${words[i]}]-} ]] && ((i++)) ;;
        *) break ;;
        esac
    done
    if [[ $split == true ]] || ((i > cword)); then
        _nspin_value "${kinds[$prev]-}"
    elif ((i == cword)) && [[ -z $ended && $cur == -* ]]; then
        # shellcheck disable=SC2086 # a list of words
        _nspin_words $options
    else
        local at
        for ((at = lead; at < ${#operands[@]} - 1 && i < cword; at++)); do ((i++)); done
        if [[ ${operands[at]} == program ]]; then
            _nspin_program "$i"
        elif ((i == cword)) || [[ ${operands[at]} == *... ]]; then
            _nspin_value "${operands[at]%...}"
        fi
    fi
} && complete -F _nspin nspin
