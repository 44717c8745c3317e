# Counts the cases in a JUnit file of ctest's, whether a test is one case of GoogleTest's or a share of a program's;
# prints "PASSED FAILED SKIPPED", and on stderr the names of what failed and the reasons of what was skipped.

function value(key,    at) {
    at = match($0, " " key "=\"[^\"]*\"")
    return at ? substr($0, RSTART + length(key) + 3, RLENGTH - length(key) - 4) : ""
}

function skip(name) {
    ++gone
    print "skipped: " name ": " (reason == "" ? "no reason given" : reason) > "/dev/stderr"
    reason = ""
}

function fail(name) {
    ++bad
    print "FAILED: " name > "/dev/stderr"
}

# What the test itself says counts where it says nothing of cases, as when it is a script, or ended in the middle.
function finish() {
    if (test == "") return
    if (state == "run") { if (cases == 0) ++good }
    else if (state == "notrun" && is_skip) { if (cases == 0) skip(test) }
    else if (failures == 0) fail(test)
    test = ""
}

/<testcase / {
    finish()
    test = value("name"); state = value("status")
    is_skip = 0; reason = ""; take = 0; cases = 0; failures = 0
}
/<skipped message="SKIP_/ { is_skip = 1 }
take {
    reason = $0
    gsub("&lt;", "<", reason); gsub("&gt;", ">", reason); gsub("&quot;", "\"", reason); gsub("&amp;", "\\&", reason)
    take = 0
}
/: Skipped$/ { take = 1 }
/\[       OK \] .* \([0-9]+ ms\)$/ { ++cases; ++good; reason = "" }
/\[  FAILED  \] .* \([0-9]+ ms\)$/ { ++cases; ++failures; sub(/^.*\[  FAILED  \] /, ""); fail($0) }
/\[  SKIPPED \] .* \([0-9]+ ms\)$/ { ++cases; sub(/^.*\[  SKIPPED \] /, ""); sub(/ \([0-9]+ ms\)$/, ""); skip($0) }
END { finish(); print good + 0, bad + 0, gone + 0 }
