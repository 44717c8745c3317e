# bash completion for schedd-cli: verbs, options, and names from the running daemon.

_schedd_cli_list() {
    # Whatever --bus or --host was given on the line is used for asking too; a silent daemon must not hang the shell.
    timeout 2 schedd-cli "${_schedd_cli_place[@]}" tree --list="$1" ${2:+"schedulers/$2"} 2>/dev/null
}

_schedd_cli_types() {
    timeout 2 schedd-cli "${_schedd_cli_place[@]}" types --color=never 2>/dev/null | awk 'NR > 1 { print $1 }'
}

_schedd_cli() {
    local cur prev words cword
    # '=' and ':' are part of words here, as in --json=short and process:12.
    _get_comp_words_by_ref -n '=:' cur prev words cword 2>/dev/null || {
        cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} words=("${COMP_WORDS[@]}") cword=$COMP_CWORD
    }
    local verbs="status tree types get set create remove link unlink attach detach apply diff export doctor explain verify monitor top graph hold nodes run migrate expel bring block unblock checkpoint restore reload simulate version help"
    local reads="--json=short --json=pretty --json=off"
    local options="--bus= --host= --color=auto --color=always --color=never --help"
    local verb="" first="" i position=0 _schedd_cli_place=()
    for ((i = 1; i < cword; i++)); do
        case ${words[i]} in
            --bus=* | --host=*) _schedd_cli_place+=("${words[i]}") ;;
            --bus | --host | -H | --color | --json | --format | --what | --profile | --who | --why | --topology | --load | --config | --seed | --duration | --picture | --weight | --class | --cpus | --memory | --quota | --timeout | --interval | --list | --activate | --remove | --scheduler | --node | --unit | --property | -p | --ssh-config | -o | --output)
                [[ ${words[i]} == --bus || ${words[i]} == --host || ${words[i]} == -H ]] && _schedd_cli_place+=("${words[i]}" "${words[i + 1]}")
                ((i++)) ;;
            -*) ;;
            *) if [[ -z $verb ]]; then verb=${words[i]}; else ((position++)) || first=${words[i]}; fi ;;
        esac
    done

    local choices=""
    case $prev in
        --json) choices="short pretty off" ;;
        --color) choices="auto always never" ;;
        --format) choices="text dot svg" ;;
        --list) choices="parts attributes writable sources sinks schedulers members nodes" ;;
        --bus) choices="system session" ;;
        --scheduler) choices=$(_schedd_cli_list schedulers) ;;
        --node) choices=$(_schedd_cli_list nodes) ;;
        --what) choices="scheduler:* $(_schedd_cli_list schedulers | sed 's/^/scheduler:/')" ;;
        -o | --output)
            compopt -o filenames 2>/dev/null
            mapfile -t COMPREPLY < <(compgen -f -- "$cur")
            return ;;
    esac
    if [[ -z $choices && $cur == -* ]]; then
        choices=$options
        case $verb in
            status | types | doctor | explain | verify | monitor | version) choices+=" $reads" ;;
            tree) choices+=" $reads --list=" ;;
            get) choices+=" $reads --watch --interval=" ;;
            top) choices+=" $reads --once --interval=" ;;
            graph) choices+=" $reads --format=text --format=dot --format=svg --topology --output" ;;
            export) choices+=" $reads --verbs" ;;
            set | create | link | unlink) choices+=" --dry-run --local --no-ask-password" ;;
            detach) choices+=" --dry-run --local --no-ask-password --persistent" ;;
            remove) choices+=" --dry-run --local --no-ask-password --recursive" ;;
            attach)
                choices+=" --dry-run --local --no-ask-password --persistent --wait --timeout= --weight= --cpus= --exclusive --quota="
                choices+=" --class=latency --class=normal --class=batch --class=auto --memory=any --memory=local"
                ;;
            apply) choices+=" $reads --dry-run --local --no-ask-password --verbs --prune" ;;
            diff) choices+=" $reads --no-ask-password --verbs --prune" ;;
            run)
                choices+=" $reads --dry-run --no-ask-password --scheduler= --node= --unit= --property= --ssh-config="
                choices+=" --wait --no-wait --pty --migratable --quiet --verbose"
                ;;
            hold) choices+=" $reads --no-ask-password --what= --profile= --who= --why=" ;;
            nodes)
                choices+=" $reads --watch --interval= --dry-run --no-ask-password"
                [[ $first == keygen ]] && choices="--add --activate= --remove= --help"
                ;;
            migrate) choices+=" $reads --dry-run --local --no-ask-password --wait" ;;
            expel | bring | checkpoint | restore) choices+=" $reads --dry-run --local --no-ask-password" ;;
            block | unblock) choices+=" --dry-run --local --no-ask-password" ;;
            reload) choices+=" $reads --dry-run --local --no-ask-password" ;;
            simulate) choices+=" $reads --topology= --load= --config= --seed= --duration= --picture=" ;;
            "") choices+=" $reads --version" ;;
        esac
    elif [[ -z $choices ]]; then
        case $verb in
            "" | help) choices=$verbs ;;
            tree | monitor | remove) choices=$(_schedd_cli_list parts) ;;
            get) choices="$(_schedd_cli_list parts) $(_schedd_cli_list attributes)" ;;
            set) ((position == 0)) && choices=$(_schedd_cli_list writable) ;;
            create) ((position == 0)) && choices=$(_schedd_cli_list parts) || choices=$(_schedd_cli_types) ;;
            link) ((position == 0)) && choices=$(_schedd_cli_list sources) || choices=$(_schedd_cli_list sinks) ;;
            unlink) choices=$(_schedd_cli_list sinks) ;;
            types) choices=$(_schedd_cli_types) ;;
            graph) choices=$(_schedd_cli_list schedulers) ;;
            attach) ((position == 0)) && choices=$(_schedd_cli_list schedulers) || choices="process: process+children: group: session: user: cgroup: unit: exec:" ;;
            detach)
                if ((position == 0)); then
                    choices=$(_schedd_cli_list schedulers)
                else
                    choices=$(_schedd_cli_list members "$first")
                fi ;;
            hold | run) choices=$(compgen -c -- "$cur") ;;
            migrate) ((position == 0)) && choices="unit: process:" || choices=$(_schedd_cli_list nodes) ;;
            checkpoint) ((position == 0)) && choices="unit: process:" || choices=$(compgen -d -- "$cur") ;;
            restore) choices=$(compgen -d -- "$cur") ;;
            nodes)
                ((position == 0)) && choices="drain undrain keygen"
                [[ $first == drain || $first == undrain ]] && choices=$(_schedd_cli_list nodes)
                if [[ $first == keygen ]]; then
                    compopt -o filenames 2>/dev/null
                    mapfile -t COMPREPLY < <(compgen -f -- "$cur")
                    return
                fi ;;
            explain) choices="$(_schedd_cli_list schedulers) $(_schedd_cli_list members)" ;;
            apply | diff | simulate)
                compopt -o filenames 2>/dev/null
                mapfile -t COMPREPLY < <(compgen -f -- "$cur")
                return ;;
        esac
    fi
    mapfile -t COMPREPLY < <(compgen -W "$choices" -- "$cur")
    [[ ${COMPREPLY[0]} == *[=:] && ${#COMPREPLY[@]} -eq 1 ]] && compopt -o nospace 2>/dev/null
    # bash splits at ':' and '='; what stands before is already on the line.
    local typed=${cur%"${cur##*[=:]}"}
    if [[ -n $typed && ${COMP_WORDBREAKS} == *[=:]* ]]; then
        for i in "${!COMPREPLY[@]}"; do COMPREPLY[i]=${COMPREPLY[i]#"$typed"}; done
    fi
}
complete -F _schedd_cli schedd-cli
