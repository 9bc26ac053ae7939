#compdef kubectl-runai-secret
# Completion of kubectl-runai-secret for zsh.
_kubectl_runai_secret() {
    local answer line value about directive
    local -a ends goes_on
    answer=$(COMPLETE=zsh @COMPLETER@ -- "${(@Q)words[1,CURRENT-1]}" "${(Q)PREFIX}" 2>/dev/null) || return 1
    directive=${answer##*:}
    for line in ${(f)answer%:*}; do
        value=${line%%$'\t'*}
        about=${line#"$value"}
        line=${value//:/\\:}${about/$'\t'/:}
        # What ends so goes on: no space, and the separator stays.
        if [[ $value == *[/=:,] ]]; then goes_on+=("$line"); else ends+=("$line"); fi
    done
    if ((!(directive & 4) && !$#ends && !$#goes_on)); then
        compset -P '*='
        _files
        return
    fi
    local found=1
    (($#ends)) && _describe -V value ends && found=0
    (($#goes_on)) && _describe -V part goes_on -S '' && found=0
    return found
}
# As an autoloaded file, or read with source or eval.
if [[ $funcstack[1] == _kubectl-runai-secret ]]; then
    _kubectl_runai_secret "$@"
else
    compdef _kubectl_runai_secret kubectl-runai-secret
fi
