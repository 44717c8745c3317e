# fish completion for schedd-cli: verbs, options, and names from the running daemon.

function __schedd_cli_place
    string match -r -- '^--(?:bus|host)=.*' (commandline -opc)
end

function __schedd_cli_list
    timeout 2 schedd-cli (__schedd_cli_place) tree --list=$argv[1] 2>/dev/null
end

function __schedd_cli_types
    timeout 2 schedd-cli (__schedd_cli_place) types --color=never 2>/dev/null | string replace -r '\s.*' '' | tail -n +2
end

# The words after the verb, options left out.
function __schedd_cli_words
    set -l words
    for word in (commandline -opc)[2..-1]
        string match -q -- '-*' $word; or set -a words $word
    end
    set -q words[2]; and printf '%s\n' $words[2..-1]
end

function __schedd_cli_first
    test (count (__schedd_cli_words)) -eq 0
end

set -l verbs status tree types get set create remove link unlink attach detach apply diff export doctor explain verify monitor top graph hold nodes run migrate expel bring block unblock checkpoint restore reload simulate version
set -l none "not __fish_seen_subcommand_from $verbs"

complete -c schedd-cli -f
for pair in 'status:Show the daemon, the machine and its schedulers' 'tree:Show the live tree' 'types:List the types' \
        'get:Read values and attributes' 'set:Write an attribute' 'create:Create a part' 'remove:Remove parts' \
        'link:Link a source to a port or filter' 'unlink:Take the source away' 'attach:Add members' 'detach:Let members go' \
        'apply:Make true what files say' 'diff:Show what apply would change' 'export:Print the live configuration' \
        'doctor:Say what this machine lacks' 'explain:Say why something is where it is' 'verify:Compare wanted and real' 'monitor:Print changes as they happen' \
        'top:Live view' 'graph:Draw the chains' 'hold:Run a command under a hold' 'nodes:Show the nodes of the cluster' 'run:Run a command on the node chosen for it' \
        'migrate:Move running work to another node' 'expel:Send all guests away' 'bring:Fetch own work back' 'block:Take no guests' \
        'unblock:Take guests again' 'checkpoint:Save running work' 'restore:Start saved work again' 'reload:Read the configuration files again' \
        'simulate:Run schedulers on a simulated machine' 'version:Print the versions'
    set -l parts (string split -m 1 : $pair)
    complete -c schedd-cli -n $none -a $parts[1] -d $parts[2]
end

complete -c schedd-cli -l bus -x -a 'system session' -d 'Bus to talk to'
complete -c schedd-cli -s H -l host -x -a '(__fish_print_hostnames)' -d 'System bus of another machine'
complete -c schedd-cli -l color -x -a 'auto always never' -d 'Colours'
complete -c schedd-cli -s h -l help -d 'Show help'
complete -c schedd-cli -n $none -l version -d 'Print the version'
complete -c schedd-cli -n '__fish_seen_subcommand_from status tree types get apply diff export doctor explain verify monitor top graph hold nodes run migrate expel bring checkpoint restore reload simulate version' -l json -x -a 'short pretty off' -d 'Print JSON'
complete -c schedd-cli -n '__fish_seen_subcommand_from set create remove link unlink attach detach apply nodes run migrate expel bring block unblock checkpoint restore reload' -s n -l dry-run -d 'Change nothing'
complete -c schedd-cli -n '__fish_seen_subcommand_from set create remove link unlink attach detach apply migrate expel bring block unblock checkpoint restore reload' -l local -d 'Change this node only'
complete -c schedd-cli -n '__fish_seen_subcommand_from set create remove link unlink attach detach apply diff hold nodes run migrate expel bring block unblock checkpoint restore reload' -l no-ask-password -d 'Never ask for a password'
complete -c schedd-cli -n '__fish_seen_subcommand_from remove' -s r -l recursive -d 'With everything below'
complete -c schedd-cli -n '__fish_seen_subcommand_from attach' -l weight -x -d 'Share of the CPU'
complete -c schedd-cli -n '__fish_seen_subcommand_from attach' -l class -x -a 'latency normal batch auto' -d 'What it is sensitive to'
complete -c schedd-cli -n '__fish_seen_subcommand_from attach' -l cpus -x -d 'How many CPUs it wants'
complete -c schedd-cli -n '__fish_seen_subcommand_from attach' -l exclusive -d 'It wants them for itself'
complete -c schedd-cli -n '__fish_seen_subcommand_from attach' -l memory -x -a 'any local' -d 'Where its memory should be'
complete -c schedd-cli -n '__fish_seen_subcommand_from attach' -l quota -x -d 'Percent of one CPU it may use'
complete -c schedd-cli -n '__fish_seen_subcommand_from attach detach' -l persistent -d 'In the unit file too'
complete -c schedd-cli -n '__fish_seen_subcommand_from attach' -l wait -d 'Until it is placed'
complete -c schedd-cli -n '__fish_seen_subcommand_from migrate' -l wait -d 'Until it runs over there'
complete -c schedd-cli -n '__fish_seen_subcommand_from migrate checkpoint; and __schedd_cli_first' -x -a 'unit: process:'
complete -c schedd-cli -n '__fish_seen_subcommand_from migrate; and not __schedd_cli_first' -x -a '(__schedd_cli_list nodes)'
complete -c schedd-cli -n '__fish_seen_subcommand_from checkpoint restore' -x -a '(__fish_complete_directories)'
complete -c schedd-cli -n '__fish_seen_subcommand_from attach' -l timeout -x -d 'How long to wait, in s'
complete -c schedd-cli -n '__fish_seen_subcommand_from apply diff export' -l verbs -d 'Recipe lines instead of TOML'
complete -c schedd-cli -n '__fish_seen_subcommand_from apply diff' -l prune -d 'Also remove what is not named'
complete -c schedd-cli -n '__fish_seen_subcommand_from apply diff' -F
complete -c schedd-cli -n '__fish_seen_subcommand_from get nodes' -s w -l watch -d 'Print changes'
complete -c schedd-cli -n '__fish_seen_subcommand_from get nodes top' -l interval -x -d 'How often to look, in ms'
complete -c schedd-cli -n '__fish_seen_subcommand_from top' -l once -d 'One snapshot'
complete -c schedd-cli -n '__fish_seen_subcommand_from tree' -l list -x -a 'parts attributes writable sources sinks schedulers members nodes' -d 'Only names'
complete -c schedd-cli -n '__fish_seen_subcommand_from nodes; and __schedd_cli_first' -a 'drain undrain keygen'
complete -c schedd-cli -n '__fish_seen_subcommand_from drain undrain' -a '(__schedd_cli_list nodes)'
complete -c schedd-cli -n '__fish_seen_subcommand_from keygen' -F
complete -c schedd-cli -n '__fish_seen_subcommand_from keygen' -l add -d 'Another key'
complete -c schedd-cli -n '__fish_seen_subcommand_from keygen' -l activate -x -d 'Send with this key'
complete -c schedd-cli -n '__fish_seen_subcommand_from keygen' -l remove -x -d 'Take this key out'
complete -c schedd-cli -n '__fish_seen_subcommand_from hold' -l what -x -a "'scheduler:*' (__schedd_cli_list schedulers | string replace -r '^' scheduler:)" -d 'What to hold'
complete -c schedd-cli -n '__fish_seen_subcommand_from hold' -l profile -x -a 'performance power-saver' -d 'Power profile to hold'
complete -c schedd-cli -n '__fish_seen_subcommand_from hold' -l who -x -d 'Who holds it'
complete -c schedd-cli -n '__fish_seen_subcommand_from hold' -l why -x -d 'What for'
complete -c schedd-cli -n '__fish_seen_subcommand_from hold run' -a '(__fish_complete_subcommand)'
complete -c schedd-cli -n '__fish_seen_subcommand_from run' -l scheduler -x -a '(__schedd_cli_list schedulers)' -d 'Ask this one, and be its member'
complete -c schedd-cli -n '__fish_seen_subcommand_from run' -l node -x -a '(__schedd_cli_list nodes)' -d 'There or not at all'
complete -c schedd-cli -n '__fish_seen_subcommand_from run' -l unit -x -d 'The name of its unit'
complete -c schedd-cli -n '__fish_seen_subcommand_from run' -s p -l property -x -d 'Of the unit'
complete -c schedd-cli -n '__fish_seen_subcommand_from run' -l ssh-config -r -d 'For ssh'
complete -c schedd-cli -n '__fish_seen_subcommand_from run' -l wait -d 'Until it has ended'
complete -c schedd-cli -n '__fish_seen_subcommand_from run' -l no-wait -d 'Until it has started'
complete -c schedd-cli -n '__fish_seen_subcommand_from run' -l pty -d 'With a terminal'
complete -c schedd-cli -n '__fish_seen_subcommand_from run' -l migratable -d 'So that it can move'
complete -c schedd-cli -n '__fish_seen_subcommand_from run' -s q -l quiet -d 'Say nothing'
complete -c schedd-cli -n '__fish_seen_subcommand_from run' -s v -l verbose -d 'Say where it runs'
complete -c schedd-cli -n '__fish_seen_subcommand_from simulate' -l topology -r -a 'xml: synthetic: auto' -d 'The machine'
complete -c schedd-cli -n '__fish_seen_subcommand_from simulate' -l load -r -d 'The jobs'
complete -c schedd-cli -n '__fish_seen_subcommand_from simulate' -l config -x -a '(__fish_complete_directories)' -d 'The schedulers'
complete -c schedd-cli -n '__fish_seen_subcommand_from simulate' -l seed -x -d 'Of chance'
complete -c schedd-cli -n '__fish_seen_subcommand_from simulate' -l duration -x -d 'Time in which jobs come, in s'
complete -c schedd-cli -n '__fish_seen_subcommand_from simulate' -l picture -r -d 'SVG file to write'
complete -c schedd-cli -n '__fish_seen_subcommand_from simulate' -F
complete -c schedd-cli -n '__fish_seen_subcommand_from graph' -l format -x -a 'text dot svg' -d 'How to draw'
complete -c schedd-cli -n '__fish_seen_subcommand_from graph' -l topology -d 'The machine instead of chains'
complete -c schedd-cli -n '__fish_seen_subcommand_from graph' -s o -l output -r -d 'File to write'

complete -c schedd-cli -n '__fish_seen_subcommand_from tree get monitor remove; or begin; __fish_seen_subcommand_from create; and __schedd_cli_first; end' -a '(__schedd_cli_list parts)'
complete -c schedd-cli -n '__fish_seen_subcommand_from get' -a '(__schedd_cli_list attributes)'
complete -c schedd-cli -n '__fish_seen_subcommand_from set; and __schedd_cli_first' -a '(__schedd_cli_list writable)'
complete -c schedd-cli -n '__fish_seen_subcommand_from link; and __schedd_cli_first' -a '(__schedd_cli_list sources)'
complete -c schedd-cli -n '__fish_seen_subcommand_from unlink; or begin; __fish_seen_subcommand_from link; and not __schedd_cli_first; end' -a '(__schedd_cli_list sinks)'
complete -c schedd-cli -n '__fish_seen_subcommand_from types; or begin; __fish_seen_subcommand_from create; and not __schedd_cli_first; end' -a '(__schedd_cli_types)'
complete -c schedd-cli -n '__fish_seen_subcommand_from graph explain; or begin; __fish_seen_subcommand_from attach detach; and __schedd_cli_first; end' -a '(__schedd_cli_list schedulers)'
complete -c schedd-cli -n '__fish_seen_subcommand_from explain; or begin; __fish_seen_subcommand_from detach; and not __schedd_cli_first; end' -a '(__schedd_cli_list members)'
complete -c schedd-cli -n '__fish_seen_subcommand_from attach; and not __schedd_cli_first' -a 'process: process+children: group: session: user: cgroup: unit: exec:'
