/// The scripts that teach shells to ask `runimg __complete`. They know nothing of commands and flags, and evaluate no
/// word: neither what was typed nor what the program answers.
enum CompletionScripts {
    static func script(_ shell: Completion.Shell) -> String {
        switch shell {
        case .bash: bash
        case .zsh: zsh
        case .fish: fish
        }
    }

    /// The program quotes its answers, and cuts off what readline keeps.
    private static let bash = #"""
        # bash completion for runimg
        #   source <(runimg completion bash)
        # or as /usr/share/bash-completion/completions/runimg

        _runimg() {
            local program=${COMP_WORDS[0]} directive lines=() path paths=()
            [[ $program == */* && -f $program && -x $program ]] || program=runimg
            COMPREPLY=()
            mapfile -t lines < <("$program" __complete bash "${COMP_LINE:0:COMP_POINT}" "$COMP_WORDBREAKS" 2>/dev/null)
            ((${#lines[@]})) || return 0
            directive=${lines[-1]%% *}
            unset 'lines[-1]'
            COMPREPLY=("${lines[@]}")
            [[ ${COMPREPLY[0]-} == *[=:/] || ${COMPREPLY[0]-} == *'\ ' ]] && compopt -o nospace
            case $directive in
            :directories)
                if ((${#COMPREPLY[@]})); then compopt -o plusdirs; else compopt -o dirnames; fi
                ;;
            :files)
                if ((${#COMPREPLY[@]} == 0)); then
                    compopt -o default
                else
                    mapfile -t paths < <(compgen -f -- "${COMP_WORDS[COMP_CWORD]}")
                    for path in "${paths[@]}"; do
                        printf -v path %q "$path"
                        COMPREPLY+=("$path")
                    done
                fi
                ;;
            esac
        }

        complete -F _runimg runimg

        """#

    private static let zsh = #"""
        #compdef runimg
        # zsh completion for runimg
        #   source <(runimg completion zsh)
        # or as _runimg in a directory of $fpath

        _runimg() {
            local -a lines directive plain open plain_shown open_shown
            local program=${(Q)words[1]} line text note shown
            [[ $program == */* && -f $program && -x $program ]] || program=runimg
            lines=("${(@f)$("$program" __complete zsh "${(@Q)words[2,CURRENT-1]}" "${(Q)${:-$IPREFIX$PREFIX}}" 2>/dev/null)}")
            directive=(${=lines[-1]})
            [[ $directive[1] == :* ]] || return 1
            for line in "${(@)lines[1,-2]}"; do
                text=${line%%$'\t'*} note=
                [[ $line == *$'\t'* ]] && note=${line#*$'\t'}
                shown=$text
                [[ -n $note ]] && shown="${(r:28:)text}  $note"
                if [[ $text == *[=:/\ ] ]]; then
                    open+=("$text") open_shown+=("$shown")
                else
                    plain+=("$text") plain_shown+=("$shown")
                fi
            done
            local result=1
            (($#plain)) && compadd -l -d plain_shown -a -- plain && result=0
            (($#open)) && compadd -S '' -l -d open_shown -a -- open && result=0
            if [[ $directive[1] != :none ]]; then
                IPREFIX+=${PREFIX[1,directive[2]]}
                PREFIX=${PREFIX[directive[2]+1,-1]}
                if [[ $directive[1] == :directories ]]; then _path_files -/ && result=0; else _files && result=0; fi
            fi
            return result
        }

        if [[ $funcstack[1] == _runimg ]]; then _runimg "$@"; else compdef _runimg runimg; fi

        """#

    private static let fish = #"""
        # fish completion for runimg
        #   runimg completion fish | source
        # or as ~/.config/fish/completions/runimg.fish

        function __runimg_complete
            set -l words (commandline -opc)
            set -l typed (commandline -ct)
            set -l current (string unescape -- $typed)
            or set current $typed
            set -l program runimg
            string match -q '*/*' -- $words[1]; and test -f $words[1] -a -x $words[1]; and set program $words[1]
            set -l lines ($program __complete fish $words[2..-1] "$current" 2>/dev/null)
            set -q lines[1]; or return
            set -l directive (string split ' ' -- $lines[-1])
            set -e lines[-1]
            for line in $lines
                printf '%s\n' $line
            end
            set -l before (string sub -l $directive[2] -- "$current")
            set -l path (string sub -s (math $directive[2] + 1) -- "$current")
            switch $directive[1]
                case :directories
                    for found in (__fish_complete_directories "$path" '')
                        printf '%s\n' "$before$found"
                    end
                case :files
                    for found in (__fish_complete_path "$path")
                        printf '%s\n' "$before$found"
                    end
            end
        end

        complete -c runimg -e
        complete -c runimg -f -a '(__runimg_complete)'

        """#
}
