#compdef schedd-cli
# zsh completion for schedd-cli: verbs, options, and names from the running daemon.

_schedd_cli_list() {
    local -a names
    names=(${(f)"$(_call_program names timeout 2 schedd-cli $schedd_cli_place tree --list=$1 2>/dev/null)"})
    compadd -a "$@[2,-1]" names
}

_schedd_cli_types() {
    local -a names
    names=(${(f)"$(_call_program types "timeout 2 schedd-cli $schedd_cli_place types --color=never 2>/dev/null | awk 'NR > 1 { print \$1 }'")"})
    compadd -a names
}

_schedd_cli() {
    local -a verbs common reads changes schedd_cli_place
    local context state state_descr line word
    typeset -A opt_args
    verbs=(
        'status:show the daemon, the machine and its schedulers'
        'tree:show the live tree with the value at each stage'
        'types:list the types, or describe one'
        'get:read values and attributes'
        'set:write an attribute'
        'create:create a part'
        'remove:remove parts'
        'link:link a source to a port or filter'
        'unlink:take the source from a port or filter'
        'attach:make processes or groups members of a scheduler'
        'detach:let members go'
        'apply:make all that the files say true'
        'diff:show what apply would change'
        'export:print the live configuration'
        'doctor:say what this machine lacks'
        'explain:say why something is where it is'
        'verify:compare what is wanted with what the machine says'
        'monitor:print changes as they happen'
        'top:live view'
        'graph:draw the chains'
        'hold:run a command while schedulers keep what they have decided'
        'run:run a command on the node that the schedulers choose'
        'nodes:show the nodes of the cluster, or take one out'
        'migrate:move running work to another node'
        'expel:send all guests away'
        'bring:fetch own work back'
        'block:take no guests any more'
        'unblock:take guests again'
        'checkpoint:save running work in a directory'
        'restore:start saved work again'
        'reload:read the configuration files again'
        'simulate:run schedulers on a simulated machine'
        'version:print the versions'
    )
    common=(
        '--bus=[bus to talk to]:bus:(system session)'
        '(-H --host)'{-H,--host=}'[system bus of another machine]:host:_hosts'
        '--color=[colours]:when:(auto always never)'
        '(-h --help)'{-h,--help}'[show help]'
    )
    reads=('--json=[print JSON]:form:(short pretty off)')
    changes=('(-n --dry-run)'{-n,--dry-run}'[check everything, change nothing]' '--local[change this node only]' '--no-ask-password[fail instead of asking for a password]')
    for word in $words; do
        [[ $word == --bus=* || $word == --host=* ]] && schedd_cli_place+=($word)
    done

    _arguments -C $common $reads '--version[print the version]' '1:verb:->verb' '*::word:->words'
    case $state in
        verb) _describe verb verbs ;;
        words)
            case $line[1] in
                status|doctor|verify|version) _arguments $common $reads ;;
                tree) _arguments $common $reads '--list=[only names]:what:(parts attributes writable sources sinks schedulers members nodes)' '1:path:_schedd_cli_list parts' ;;
                types) _arguments $common $reads '1:type:_schedd_cli_types' ;;
                get) _arguments $common $reads '(-w --watch)'{-w,--watch}'[print changes]' '--interval=[how often to look]:ms' '*:place:{ _schedd_cli_list parts; _schedd_cli_list attributes }' ;;
                set) _arguments $common $changes '1:attribute:_schedd_cli_list writable' '2:value' ;;
                create) _arguments $common $changes '1:path:_schedd_cli_list parts -S ""' '2:type:_schedd_cli_types' '*:attribute=value' ;;
                remove) _arguments $common $changes '(-r --recursive)'{-r,--recursive}'[with everything below]' '*:path:_schedd_cli_list parts' ;;
                link) _arguments $common $changes '1:source:_schedd_cli_list sources' '2:sink:_schedd_cli_list sinks' ;;
                unlink) _arguments $common $changes '1:sink:_schedd_cli_list sinks' ;;
                attach) _arguments $common $changes '--weight=[share of the CPU]:weight' '--class=[what it is sensitive to]:class:(latency normal batch auto)' '--cpus=[how many it wants]:cpus' '--exclusive[for itself]' '--memory=[where its memory is]:memory:(any local)' '--quota=[percent of one CPU]:quota' '--persistent[in the unit file too]' '--wait[until it is placed]' '--timeout=[how long to wait]:seconds' '1:scheduler:_schedd_cli_list schedulers' '*:member:compadd -S "" process: process+children: group: session: user: cgroup: unit: exec:' ;;
                detach) _arguments $common $changes '--persistent[out of the unit file too]' '1:scheduler:_schedd_cli_list schedulers' '*:member:_schedd_cli_list members' ;;
                apply) _arguments $common $reads $changes '--verbs[recipe lines]' '--prune[also remove]' '*:file:_files' ;;
                diff) _arguments $common $reads '--no-ask-password' '--verbs[recipe lines]' '--prune[also remove]' '*:file:_files' ;;
                export) _arguments $common $reads '--verbs[recipe lines]' ;;
                explain) _arguments $common $reads '1:what:{ _schedd_cli_list schedulers; _schedd_cli_list members }' ;;
                monitor) _arguments $common $reads '1:path:_schedd_cli_list parts' ;;
                top) _arguments $common $reads '--once[one snapshot]' '--interval=[how often to look]:ms' ;;
                graph) _arguments $common $reads '--format=[how to draw]:format:(text dot svg)' '--topology[the machine instead of chains]' '(-o --output)'{-o,--output=}'[file to write]:file:_files' '1:scheduler:_schedd_cli_list schedulers' ;;
                hold) _arguments $common $reads '--no-ask-password' '--what=[what to hold]:what:(scheduler\:\*)' '--profile=[power profile to hold]:profile:(performance power-saver)' '--who=[who holds it]:who' '--why=[what for]:why' '*::command:_normal' ;;
                run) _arguments $common $reads '(-n --dry-run)'{-n,--dry-run}'[only say where]' '--no-ask-password' '--scheduler=[ask this one, and be its member]:scheduler:_schedd_cli_list schedulers' '--node=[there or not at all]:node:_schedd_cli_list nodes' '--unit=[its name]:unit' '*'{-p,--property=}'[of the unit]:property' '--ssh-config=[for ssh]:file:_files' '--wait[until it has ended]' '--no-wait[until it has started]' '--pty[with a terminal]' '--migratable[so that it can move]' '(-q --quiet)'{-q,--quiet}'[say nothing]' '(-v --verbose)'{-v,--verbose}'[say where]' '*::command:_normal' ;;
                nodes)
                    if [[ $words[2] == keygen ]]; then
                        _arguments $common '--add[another key]' '--activate=[send with this key]:number' '--remove=[take this key out]:number' '1:what:(keygen)' '2:file:_files'
                    else
                        _arguments $common $reads '(-w --watch)'{-w,--watch}'[draw it again and again]' '--interval=[how often to look]:ms' '(-n --dry-run)'{-n,--dry-run}'[change nothing]' '--no-ask-password' '1:what:(drain undrain keygen)' '2:node:_schedd_cli_list nodes'
                    fi ;;
                migrate) _arguments $common $reads $changes '--wait[until it runs over there]' '1:member:compadd -S "" unit: process:' '2:node:_schedd_cli_list nodes' ;;
                expel|bring) _arguments $common $reads $changes ;;
                block|unblock) _arguments $common $changes ;;
                checkpoint) _arguments $common $reads $changes '1:member:compadd -S "" unit: process:' '2:directory:_files -/' ;;
                restore) _arguments $common $reads $changes '1:directory:_files -/' ;;
                reload) _arguments $common $reads $changes ;;
                simulate) _arguments $common $reads '--topology=[the machine]:source:(xml\: synthetic\: auto)' '--load=[the jobs]:file:_files' '--config=[the schedulers]:file or directory:_files' '--seed=[of chance]:number' '--duration=[time in which jobs come]:seconds' '--picture=[SVG to write]:file:_files' '1:file:_files' ;;
            esac ;;
    esac
}

_schedd_cli "$@"
