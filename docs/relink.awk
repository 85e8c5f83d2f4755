# Pages as they are installed: links to the public headers lead to those that are installed, and a link to what is not is the text
# that it had. `make install` runs it at the top of the repository:
#
#     awk -v files=LIST -v to=FOLDER -f docs/relink.awk PAGE …
#
# LIST has the path of every file that is installed beside README.md, a line each; pages are written below FOLDER.

BEGIN {
    while ((getline path < files) > 0) {
        there[path] = 1
        while (sub(/\/[^\/]*$/, "", path)) there[path] = 1 # folders, too
    }
}
FNR == 1 {
    if (out) close(out)
    out = to "/" FILENAME
    folder = FILENAME ~ /\// ? FILENAME : "" # "docs/api/nn.md" to "docs/api/"
    sub(/[^\/]*$/, "", folder)
    fenced = 0
}
/^ *```/ { fenced = !fenced }
         { print fenced ? $0 : relinked($0) > out }

function relinked(line,    out_line, target, text_at) {
    while (match(line, /\]\([^() ]*\)/)) {
        out_line = out_line substr(line, 1, RSTART - 1)
        target = substr(line, RSTART + 2, RLENGTH - 3)
        line = substr(line, RSTART + RLENGTH)
        path = from_top(target)
        if (target ~ /^(#|[a-z]+:)/ || path in there) out_line = out_line "](" target ")"
        else if (path ~ /^include(\/|$)/) out_line = out_line "](" up(folder) "../../../" path ")"
        else if (text_at = opening(out_line)) # "![picture](…)" too
            out_line = substr(out_line, 1, text_at - (substr(out_line, text_at - 1, 1) == "!" ? 2 : 1)) substr(out_line, text_at + 1)
        else out_line = out_line "]"
    }
    return out_line line
}

# Where a page's link leads to, counted from the top: without its place, and without "..".
function from_top(target) {
    sub(/#.*/, "", target)
    target = folder target
    while (sub(/(^|\/)[^\/.][^\/]*\/\.\.(\/|$)/, "/", target)) sub(/^\//, "", target)
    sub(/\/$/, "", target)
    return target
}

function up(path) {
    gsub(/[^\/]+\//, "../", path)
    return path
}

# The bracket that the text's last one, not yet written, closes.
function opening(text,    at, depth) {
    for (at = length(text); at > 0; at--) {
        if (substr(text, at, 1) == "]") depth++
        else if (substr(text, at, 1) == "[" && depth-- == 0) return at
    }
    return 0
}
