# docs/api from the public headers: a page a header, and README.md, the index. `make api` runs it:
#
#     awk -v to=docs/api -f docs/api/pages.awk HEADERS EXAMPLES TESTS
#
# A header is read line by line into items: a title (a comment "---- title ----"), a paragraph (a comment that a blank line
# follows) or an entry: declarations that no blank line parts, with the comment above them. A declaration that has only a
# comment behind it is an entry of its own. The other files are read for the first line in which they use a name. The pages are
# written at the end, when all names are known.

FNR == 1 { begin_file() }
header   { read_header($0); next }
         { read_use($0) }
END      {
    for (p = 1; p <= pages; p++) write_page(p)
    write_index()
}

# ---- reading headers ----

function begin_file() {
    header = FILENAME ~ /^include\//
    if (!header) return
    file[++pages] = FILENAME
    page = FILENAME
    sub(/.*\//, "", page)
    title[pages] = page
    sub(/\.h$/, "", page)
    of_title[title[pages]] = page
    name[pages] = page
    opening[pages] = comment = code = above = ""
    in_comment = grouped = depth = 0
}

function read_header(line) {
    if (in_comment || (code == "" && line ~ /^\/\*/)) read_comment(line)
    else if (code != "") add_code(line)
    else if (line == "") end_group()
    else if (line ~ /^# *(if|else|elif|endif)/) read_condition(line)
    else if (hidden[depth] || line ~ /^#(include|undef|define TAPELOOM_|define TL_OP\()/ || line == "TL_OPS_LIST") return
    else add_code(line)
}

# The guard around a header and what is for C++ alone are not shown, other conditions are; only the guard shows what is in it.
function read_condition(line) {
    if (line ~ /^# *if/) {
        depth++
        silent[depth] = line ~ /TAPELOOM_|__cplusplus|__FAST_MATH__/
        hidden[depth] = silent[depth] && line !~ /TAPELOOM_/
    }
    if (!silent[depth]) entry_for("", line)
    if (line ~ /^# *endif/) depth--
}

function read_comment(line) {
    in_comment = 1
    comment = comment line "\n"
    if (line !~ /\*\/ *$/) return
    in_comment = 0
    line = plain_comment(comment)
    comment = ""
    if (line ~ /^clang-format/) return
    if (opening[pages] == "") { opening[pages] = line; return }
    end_group()
    if (line !~ /^---- .* ----/) { above = line; return }
    split(line, parts, /( ----\n?|^---- )/)
    new_item("title", parts[2])
    sub(/^---- .* ----\n?/, "", line)
    above = line
}

# A comment's text, without what makes it one.
function plain_comment(text) {
    sub(/^\/\* ?/, "", text)
    sub(/ *\*\/ *\n*$/, "", text)
    gsub(/\n \* ?/, "\n", text)
    return text
}

function end_group() {
    if (above != "") new_item("prose", above)
    above = ""
    grouped = 0
}

function new_item(what, text) {
    kind[++items] = what
    on_page[items] = pages
    said[items] = text
    shown[items] = names[items] = ""
    return items
}

function add_code(line,    bare, rest, names_here, behind) {
    code = code (code == "" ? "" : "\n") line
    bare = without_comments(code)
    if (unclosed) return
    if (code ~ /^#/) { if (line ~ /\\$/) return }
    else if (gsub(/\{/, "{", bare) != gsub(/\}/, "}", bare) || bare !~ /; *$/) return
    rest = code
    code = ""
    if (bare ~ /^#define TL_OPS_LIST/) { read_operations(bare); return }
    names_here = names_in(bare)
    if (bare ~ /^typedef struct [a-z_0-9]+ [a-z_0-9]+;/ && rest ~ /\/\* [a-z]+\.h \*\/$/) names_here = "" # declared elsewhere
    behind = ""
    if (above == "" && !(grouped && grouped_by_comment) && bare !~ /\{/ && match(rest, /[;)] *\/\*.*\*\/ *$/)) {
        behind = substr(rest, RSTART + 1)
        rest = substr(rest, 1, RSTART)
        sub(/^ */, "", behind)
        behind = as_sentence(plain_comment(behind))
    }
    entry_for(names_here, rest, behind)
}

# Into the entry that is open, or a new one under the comment above or with the comment from behind.
function entry_for(names_here, text, behind,    i, n, word) {
    if (!grouped || above != "" || behind != "") {
        grouped_by_comment = above != ""
        new_item("entry", above != "" ? above : behind)
        above = ""
        grouped = 1
    }
    shown[items] = shown[items] (shown[items] == "" ? "" : "\n") text
    n = split(names_here, word, " ")
    for (i = 1; i <= n; i++) {
        if ((" " names[items] " ") ~ (" " word[i] " ")) continue
        if (word[i] !~ /^\+/) names[items] = names[items] (names[items] == "" ? "" : " ") word[i]
        sub(/^\+/, "", word[i])
        page_of[word[i]] = page
        anchor_of[word[i]] = word[i]
        if (names[items] !~ ("(^| )" word[i] "($| )")) { split(names[items], parts, " "); anchor_of[word[i]] = parts[1] }
        else listed[++all_names] = word[i]
    }
}

function without_comments(text,    at) {
    unclosed = 0
    while (at = index(text, "/*")) {
        unclosed = !index(substr(text, at), "*/")
        if (unclosed) return text
        text = substr(text, 1, at - 1) substr(text, at + 1 + index(substr(text, at), "*/"))
    }
    return text
}

# The names that a declaration declares; a "+" stands before those of a named type's values.
function names_in(text,    found, more) {
    gsub(/\n/, " ", text)
    if (sub(/^# *define +/, "", text)) {
        found = text ~ /^tl_[a-z_]+ TL_ENTRY/ ? "" : word_at(text, "^[A-Za-z0-9_]+")
        return found
    }
    if (match(text, /enum[^{;]*\{[^}]*\}/)) more = values_in(substr(text, RSTART, RLENGTH), text ~ /^typedef/ ? " +" : " ")
    if (text ~ /^enum \{/) return more
    if (text ~ /^extern/) {
        while (match(text, /tl_[a-z0-9_]+\[/)) {
            found = found " " substr(text, RSTART, RLENGTH - 1)
            text = substr(text, RSTART + RLENGTH)
        }
        return found
    }
    gsub(/\{.*\}/, "", text)
    if (text ~ /^typedef [^(]*\(\*/) found = word_at(substr(text, index(text, "(*")), "[A-Za-z0-9_]+")
    else if (text ~ /\(/) found = word_at(word_at(text, "[A-Za-z0-9_]+\\("), "[A-Za-z0-9_]+")
    else found = word_at(word_at(text, "[A-Za-z0-9_]+ *;"), "[A-Za-z0-9_]+")
    return found more
}

function values_in(text, before,    i, n, part, found) {
    n = split(substr(text, index(text, "{") + 1), part, ",")
    for (i = 1; i <= n; i++)
        if (match(part[i], /TL_[A-Z0-9_a-z]+/)) found = found before substr(part[i], RSTART, RLENGTH)
    return found
}

function word_at(text, pattern) { return match(text, pattern) ? substr(text, RSTART, RLENGTH) : "" }

# An entry for each TL_OP(name, (arguments), "meaning").
function read_operations(list,    op, close_at, arguments) {
    entry_for("TL_OPS_LIST", "#define TL_OPS_LIST TL_OP(add, (tl_var a, tl_var b), \"a + b, broadcast\") …")
    gsub(/\\\n/, "", list)
    gsub(/  +/, " ", list)
    while (match(list, /TL_OP\([a-z0-9_]+, \(/)) {
        op = substr(list, RSTART + 6, RLENGTH - 9)
        list = substr(list, RSTART + RLENGTH)
        close_at = index(list, ")")
        arguments = substr(list, 1, close_at - 1)
        list = substr(list, close_at + 2)
        close_at = index(list, "TL_OP(") ? index(list, "TL_OP(") - 1 : length(list)
        meaning = substr(list, 1, close_at)
        gsub(/" *"/, "", meaning)
        gsub(/^ *"|"\) *$/, "", meaning)
        grouped = 0
        entry_for("tl_" op, "tl_var tl_" op "(" arguments ");", as_sentence(meaning) \
            " Formula, forward and backward stand in src/autograd/ops/" op ".c.")
    }
    grouped = 0
}

# What stands behind a line of code is seldom written as a sentence.
function as_sentence(text,    first) {
    first = word_at(text, "^[a-z][a-z]+([ ,;:'-]|$)")
    if (first != "") text = toupper(substr(text, 1, 1)) substr(text, 2)
    return text (text ~ /[.?!:]$/ ? "" : ".")
}

# ---- reading who uses a name ----

function read_use(line,    word, is_test) {
    is_test = FILENAME ~ /^tests\//
    while (match(line, /(tl|TL)_[A-Za-z0-9_]+/)) {
        word = substr(line, RSTART, RLENGTH)
        line = substr(line, RSTART + RLENGTH)
        if (!(word in page_of) || ((word, FILENAME) in used)) continue
        used[word, FILENAME] = 1
        if (!is_test && uses[word] < 3) {
            uses[word]++
            used_in[word] = used_in[word] (used_in[word] == "" ? "" : ", ") link_to(FILENAME, FNR)
        } else if (is_test && (!(word in test_of) || (FILENAME ~ ("^tests/" page_of[word] "/") && test_of[word] !~ ("^tests/" page_of[word] "/"))))
            test_of[word] = FILENAME
    }
}

function link_to(path, line) { return "[" path "](../../" path (line ? "#L" line : "") ")" }

# ---- writing ----

function write_page(p,    i, out, sections) {
    out = to "/" name[p] ".md"
    print "# " title[p] "\n" > out
    print "`#include <" (p == 1 ? "" : "tapeloom/") title[p] ">` · made from " link_to(file[p]) " by `make api` · [all pages](README.md)\n" > out
    print prose(opening[p], "") > out
    for (i = 1; i <= items; i++)
        if (on_page[i] == p && kind[i] == "title") print (sections++ ? "" : "On this page:\n\n") "- [" escaped(said[i]) "](#s" sections ")" > out
    if (sections) print "" > out
    sections = 0
    for (i = 1; i <= items; i++) {
        if (on_page[i] != p) continue
        if (kind[i] == "title") print "<a id=\"s" ++sections "\"></a>\n\n## " capital(escaped(said[i])) "\n" > out
        else if (kind[i] == "prose") print prose(said[i], "") > out
        else write_entry(i, out)
    }
    close(out)
}

function write_entry(i, out,    n, k, word, line) {
    n = split(names[i], word, " ")
    if (n > 1 || word[1] ~ /^TL/) {
        for (k = 1; k <= n; k++) printf "<a id=\"%s\"></a>", word[k] > out
        print "\n" > out
    }
    if (n) {
        printf "### " > out
        for (k = 1; k <= n; k++) printf "%s", (k == 1 ? "" : ", ") word[k] > out
        print "\n" > out
    }
    print "```c\n" shown[i] "\n```\n" > out
    if (said[i] != "") print prose(said[i], names[i]) > out
    for (k = 1; k <= n; k++) {
        line = word[k] in used_in ? "sed in " used_in[word[k]] "." : word[k] in test_of ? "sed in a test, " link_to(test_of[word[k]]) "." : ""
        if (line != "") print (n == 1 ? "U" : "- `" word[k] "`: u") line > out
    }
    if (n) print "" > out
}

# A comment as Markdown: lines that are indented stay as they are, the others flow.
function prose(text, own,    i, n, line, out, block, flow) {
    n = split(text, line, "\n")
    for (i = 1; i <= n + 1; i++) {
        if (i <= n && line[i] ~ /^  +[^ ]/ || (block != "" && line[i] == "" && line[i + 1] ~ /^  +[^ ]/)) {
            if (flow != "") { out = out marked(flow, own) "\n\n"; flow = "" }
            block = block line[i] "\n"
            continue
        }
        if (block != "") { out = out "```" (block ~ /;/ && block ~ /(tl_|if \(|for \()/ ? "c" : "text") "\n" dedented(block) "```\n\n"; block = "" }
        if (i > n || line[i] == "") { if (flow != "") out = out marked(flow, own) "\n\n"; flow = "" }
        else flow = flow (flow == "" ? "" : " ") line[i]
    }
    sub(/\n$/, "", out)
    return out
}

function dedented(block,    i, n, line, least, space) {
    n = split(block, line, "\n")
    least = 99
    for (i = 1; i < n; i++) if (line[i] != "") { match(line[i], /^ */); if (RLENGTH < least) least = RLENGTH }
    block = ""
    for (i = 1; i < n; i++) block = block substr(line[i], least + 1) "\n"
    return block
}

# Names become links, shapes and names of arguments code, and nothing is left that Markdown would take for its own.
function marked(text, own,    out, found, base) {
    while (match(text, /`[^`]*`|"[^" ]*"|[a-z_]*\[[^][)]*[])]|(tl|TL)_[A-Za-z0-9_*]*(<[a-z]+>[a-z_]*)?(\.[a-z_]+)?|\*[a-z]+\*|<[a-z|]+>|\*[a-z_]+|(src|docs|include|tests|examples)\/[a-zA-Z0-9_.\/-]*[a-z\/]|[a-z]+\.h/)) {
        found = substr(text, RSTART, RLENGTH)
        out = out escaped(substr(text, 1, RSTART - 1))
        text = substr(text, RSTART + RLENGTH)
        base = word_at(found, "^[A-Za-z0-9_]+")
        if (found ~ /^`|^\*.*\*$/) out = out found
        else if (found in of_title) out = out "[" found "](" of_title[found] ".md)"
        else if (found ~ /^(src|docs|include|tests|examples)\/.*\.[a-z]+$/ && readable(found)) out = out "[" found "](../../" found ")"
        else if (base in page_of && (" " own " ") !~ (" " base " ") && found !~ /[*<]/)
            out = out "[`" found "`](" (page_of[base] == name[p] ? "" : page_of[base] ".md") "#" anchor_of[base] ")"
        else out = out "`" found "`"
    }
    return out escaped(text)
}

function readable(path,    line, ok) {
    ok = (getline line < path) > 0
    close(path)
    return ok
}

function escaped(text) {
    gsub(/[*<]/, "\\\\&", text)
    return text
}

function capital(text) { return toupper(substr(text, 1, 1)) substr(text, 2) }

function first_sentence(text) {
    gsub(/\n/, " ", text)
    gsub(/et al[.] /, "et al.\001", text) # which ends none
    if (match(text, /[.] /)) text = substr(text, 1, RSTART)
    gsub(/\001/, " ", text)
    return text
}

function write_index(    i, out, letter, last) {
    out = to "/README.md"
    print "# The public interface\n\nA page for each header, made from the headers by `make api`; a test compares the two. `#include <tapeloom.h>`\n" \
        "brings all but op.h, which is for those who write operations of their own. How to compile a program with the library is in\n" \
        "[docs/install.md](../install.md).\n" > out
    for (i = 1; i <= pages; i++) print "- [" title[i] "](" name[i] ".md): " marked(first_sentence(opening[i]), "") > out
    print "\n## All names" > out; last = ""
    sort_names()
    for (i = 1; i <= all_names; i++) {
        letter = toupper(substr(listed[i], 4, 1))
        printf "%s[%s](%s.md#%s)", (letter != last ? "\n\n### " letter "\n\n" : " ·\n"), listed[i], page_of[listed[i]], listed[i] > out
        last = letter
    }
    print "" > out
}

function sort_names(    i, k, word) { # by what stands behind tl_ and TL_
    for (i = 2; i <= all_names; i++) {
        word = listed[i]
        for (k = i - 1; k > 0 && sorts(listed[k]) > sorts(word); k--) listed[k + 1] = listed[k]
        listed[k + 1] = word
    }
}
function sorts(word) { return tolower(substr(word, 4)) " " word }
