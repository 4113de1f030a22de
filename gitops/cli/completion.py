"""`orch completion …`: the script by which a shell completes commands, flags and ids."""

from __future__ import annotations

from gitops.cli.completing import VARIABLE
from gitops.cli.say import say

_BASH = """\
# Completion of orch for bash: source it, or keep it as
# ~/.local/share/bash-completion/completions/orch
_orch() {{
    local line
    COMPREPLY=()
    while IFS= read -r line; do
        COMPREPLY+=("$line")
    done < <({variable}=bash "${{COMP_WORDS[0]}}" "${{COMP_WORDS[@]:1:COMP_CWORD}}" 2>/dev/null)
}}
complete -o default -F _orch orch
"""

_ZSH = """\
#compdef orch
# Completion of orch for zsh: source it after compinit, or keep it as _orch in a folder of $fpath.
_orch() {{
    local line
    local -a found
    while IFS= read -r line; do
        found+=("$line")
    done < <({variable}=zsh "${{words[1]}}" "${{(@)words[2,CURRENT]}}" 2>/dev/null)
    if (( ${{#found}} )); then
        _describe orch found
    else
        _files
    fi
}}
if [[ ${{funcstack[1]}} == _orch ]]; then
    _orch "$@"
else
    compdef _orch orch
fi
"""

_FISH = """\
# Completion of orch for fish: keep it as ~/.config/fish/completions/orch.fish
function __orch_complete
    set -l typed (commandline -opc)
    set -l last (commandline -ct)
    set -l found ({variable}=fish command $typed[1] $typed[2..-1] "$last" 2>/dev/null)
    if test (count $found) -gt 0
        printf '%s\\n' $found
    else
        __fish_complete_path "$last"
    end
end
complete -c orch -f -a '(__orch_complete)'
"""


def bash() -> None:
    """Print the script for bash.

    At once: source <(orch completion bash). For good: keep it as orch in
    ~/.local/share/bash-completion/completions.
    """
    say(_BASH.format(variable=VARIABLE))


def zsh() -> None:
    """Print the script for zsh.

    At once, after compinit: source <(orch completion zsh). For good: keep it as _orch in a folder
    of $fpath.
    """
    say(_ZSH.format(variable=VARIABLE))


def fish() -> None:
    """Print the script for fish.

    At once: orch completion fish | source. For good: keep it as orch.fish in
    ~/.config/fish/completions.
    """
    say(_FISH.format(variable=VARIABLE))
