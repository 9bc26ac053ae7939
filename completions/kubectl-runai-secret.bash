# Completion of kubectl-runai-secret for bash.
_kubectl_runai_secret() {
    # bash splits words at COMP_WORDBREAKS, where `:` and `=` are. Here they are joined again: what follows without
    # a blank belongs to the same word.
    local line=${COMP_LINE:0:COMP_POINT} rest word i n=0
    local words=()
    for ((i = 0; i <= COMP_CWORD; i++)); do
        rest=${line#"${line%%[![:space:]]*}"}
        word=${COMP_WORDS[i]}
        ((i == COMP_CWORD)) && word=$rest
        if ((i > 0)) && [[ $rest == "$line" ]]; then
            words[n - 1]+=$word
        else
            words[n++]=$word
        fi
        line=${rest#"$word"}
    done
    local current=${words[n - 1]} answer directive
    COMPREPLY=()
    answer=$(COMPLETE=bash kubectl-runai-secret -- "${words[@]}" 2>/dev/null) || return
    directive=${answer##*:}
    answer=${answer%:*}
    # readline puts its own last piece of the word in the place of each candidate.
    local before=${current%"$2"} value
    while IFS= read -r value; do
        [[ -n $value ]] && COMPREPLY+=("${value#"$before"}")
    done <<<"$answer"
    # bash 3 can't be told; there is a space too many then.
    if [[ $(type -t compopt) == builtin ]]; then
        ((directive & 2)) && compopt -o nospace
        ((directive & 4)) && compopt +o default
    fi
    return 0
}
complete -o default -F _kubectl_runai_secret kubectl-runai-secret
