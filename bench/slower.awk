# Compares new measurements with an earlier file, both in the format of bench/history/README.md.
#
#     awk -v list=1 -v known=SECTIONS [-v sections=… -v configs=…] -f bench/slower.awk FILE
#         lists FILE's rows as section, case, side; only those of the given sections and configurations, if any
#     awk -v processor=NAME [-v json=1] -f bench/slower.awk FILE WANTED NEW
#         prints the rows of WANTED then and now, the slowest first; exit status 1 if one was not measured
#
# If FILE has several lines of a row, the last one from this processor counts, or, if there is none, the last one. An
# error in a file ends the program with exit status 2 and the line's number.

# ---- parsing a line into value[key], kind[key] and, for ratios, the names of the peers in order ----

function fail(what) {
    printf "bench/compare: %s, line %d: %s\n", FILENAME, FNR, what >"/dev/stderr"
    failed = 1
    exit 2
}
function eat(pattern, what, s) {
    sub(/^[ \t]+/, "", rest)
    if (!match(rest, "^" pattern))
        fail("expected " what ", found " (rest == "" ? "the end of the line" : substr(rest, 1, 24)))
    s = substr(rest, 1, RLENGTH)
    rest = substr(rest, RLENGTH + 1)
    return s
}
function string(what, s) {
    s = eat("\"([^\"\\\\]|\\\\.)*\"", what)
    s = substr(s, 2, length(s) - 2)
    gsub(/\\"/, "\"", s)
    return s
}
function object(prefix, key) {
    eat("[{]", "\"{\"")
    if (rest ~ /^[ \t]*}/) { eat("}"); return }
    do {
        key = prefix string("a key in quotes")
        eat(":", "\":\" after the key \"" key "\"")
        if (rest ~ /^[ \t]*[{]/) { kind[key] = "object"; object(key ".") }
        else if (rest ~ /^[ \t]*"/) { kind[key] = "string"; value[key] = string() }
        else if (rest ~ /^[ \t]*[tfn]/) { kind[key] = "word"; value[key] = eat("(true|false|null)", "a value") }
        else { kind[key] = "number"; value[key] = eat("-?[0-9]+([.][0-9]+)?([eE][-+]?[0-9]+)?", "a value") + 0 }
        if (prefix == "ratios.") peers[++peer_count] = substr(key, 8)
    } while (eat("[,}]", "\",\" or \"}\"") == ",")
}
function need(wanted, names, list, i) {
    for (i = split(names, list, " "); i > 0; i--) {
        if (!(list[i] in kind)) fail("there is no \"" list[i] "\" (" wanted ")")
        if (kind[list[i]] != wanted) fail("\"" list[i] "\" is a " kind[list[i]] ", expected: " wanted)
    }
}
function read(i) {
    split("", value); split("", kind); split("", peers); peer_count = 0
    rest = $0
    sub(/\r$/, "", rest)
    object("")
    sub(/^[ \t]+/, "", rest)
    if (rest != "") fail("expected the end of the line after \"}\", found " substr(rest, 1, 24))
    need("string", "side case section processor date version")
    need("number", "threads")
    if ("error" in value) return
    need("number", "spread median")
    need("string", "unit")
    if (value["unit"] != "ms" && value["unit"] != "MB") fail("unit \"" value["unit"] "\", expected ms or MB")
    if (value["median"] <= 0) fail("median " value["median"] ", expected more than 0")
    if (value["peer"] != "true") need("object", "ratios")
    for (i = 1; i <= peer_count; i++)
        if (kind["ratios." peers[i]] != "number" || value["ratios." peers[i]] <= 0)
            fail("ratio to \"" peers[i] "\", expected a number above 0")
}
function about() {
    return value["version"] (value["commit"] == "" ? "" : " (" value["commit"] ")") ", " value["date"] ", " \
        value["processor"] (value["isa"] == "" ? "" : ", " value["isa"]) \
        (value["compiler"] == "" ? "" : ", " value["compiler"]) ", " value["threads"] \
        (value["threads"] == 1 ? " thread" : " threads") \
        (value["lowest_peak_gflops"] < 0.8 * value["peak_gflops"] ? "; the machine was busy with other work" : "")
}
function remember(when, row, i) {
    has[when, row] = 1
    error[when, row] = value["error"]
    median[when, row] = value["median"]; spread[when, row] = value["spread"]; unit[row] = value["unit"]
    place[when, row] = value["processor"] SUBSEP value["threads"]; is_peer[row] = value["peer"] == "true"
    text[when, row] = about()
    for (i = 1; i <= names[when, row]; i++) delete ratio[when, row, name[when, row, i]]
    names[when, row] = peer_count
    for (i = 1; i <= peer_count; i++) {
        name[when, row, i] = peers[i]
        ratio[when, row, peers[i]] = value["ratios." peers[i]]
    }
}
function config_of(name) { return name ~ /^T[0-3]/ ? substr(name, 1, 2) : "" }

FNR == 1 { file++ }
/^[ \t\r]*$/ { next }
file == 2 { if (!is_peer[$0]) wanted[++wanted_count] = $0; next }
{
    read()
    row = value["section"] "\t" value["case"] "\t" value["side"]
    if (file == 3) { remember("now", row); next }
    if (list && index(" " known " ", " " value["section"] " ") == 0)
        fail("section \"" value["section"] "\", expected one of " known)
    if (value["error"] != "") fail("an error, expected what was measured")
    if (!(("then", row) in has)) order[++rows] = row
    else if (value["processor"] != processor && index(place["then", row], processor SUBSEP) == 1) next
    remember("then", row)
}

# ---- output ----

function show_list(i, part, config) {
    for (i = 1; i <= rows; i++) {
        split(order[i], part, "\t")
        config = config_of(part[2])
        if (sections != "" && index(" " sections " ", " " part[1] " ") == 0) continue
        if (configs != "" && config != "" && index(" " configs " ", " " config " ") == 0) continue
        print order[i]
    }
}
# The first peer that was measured both then and now.
function peer_of(row, i) {
    for (i = 1; i <= names["now", row]; i++)
        if (("then", row, name["now", row, i]) in ratio) return name["now", row, i]
    return ""
}
function judge(row, peer, part, other) {
    noise[row] = spread["then", row] + spread["now", row]
    change[row] = median["now", row] / median["then", row]
    if (peer != "") {
        split(row, part, "\t")
        other = part[1] "\t" part[2] "\t" peer
        noise[row] += spread["then", other] + spread["now", other]
        change[row] = ratio["then", row, peer] / ratio["now", row, peer]
    }
    if (noise[row] < 3) noise[row] = 3
    if (peer == "" && place["then", row] != place["now", row]) {
        verdict[row] = "?"
        return
    }
    if (100 * (change[row] - 1) > noise[row]) verdict[row] = unit[row] == "MB" ? "more" : "slower"
    else if (100 * (1 / change[row] - 1) > noise[row]) verdict[row] = unit[row] == "MB" ? "less" : "faster"
    else verdict[row] = "same"
}
function rank(row) { return verdict[row] == "?" ? -1 : change[row] }
# By change, the slowest first.
function sort(i, j, x) {
    for (i = 2; i <= measured; i++) {
        x = done[i]
        for (j = i - 1; j > 0 && rank(done[j]) < rank(x); j--) done[j + 1] = done[j]
        done[j + 1] = x
    }
}
function number(x) { return sprintf(x < 10 ? "%.3f" : "%.1f", x) }
function show(row, part, peer, beside) {
    split(row, part, "\t")
    peer = peer_of(row)
    if (json) {
        printf "{\"section\": \"%s\", \"case\": \"%s\", \"side\": \"%s\", \"unit\": \"%s\", \"then\": %s, \"now\": %s", \
            part[1], part[2], part[3], unit[row], median["then", row], median["now", row]
        if (peer != "") printf ", \"peer\": \"%s\", \"ratio_then\": %s, \"ratio_now\": %s", peer, \
            ratio["then", row, peer], ratio["now", row, peer]
        printf ", \"change\": %.3f, \"noise_percent\": %.1f, \"verdict\": \"%s\"}\n", change[row], noise[row], verdict[row]
        return
    }
    beside = ""
    if (peer != "")
        beside = sprintf("%" (8 - length(verdict[row])) "s%s: %.2f, now %.2f", "", peer, \
            ratio["then", row, peer], ratio["now", row, peer])
    printf "%-9s %-14s %-15s %9s %9s %s %7.2f %4.0f  %s%s\n", part[1], part[2], part[3], number(median["then", row]), \
        number(median["now", row]), unit[row], change[row], noise[row], verdict[row], beside
}
# Prints each version and machine of the compared lines once.
function heads(when, i, t) {
    for (i = 1; i <= measured; i++) {
        t = text[when, done[i]]
        if (!((when, t) in told)) print sprintf("%-6s", when ":") t
        told[when, t] = 1
    }
}

END {
    if (failed) exit 2
    if (list) { show_list(); exit }
    for (i = 1; i <= wanted_count; i++) {
        row = wanted[i]
        if (("now", row) in has && error["now", row] == "") done[++measured] = row
        else missed[++missing] = row
        if (measured && done[measured] == row) judge(row, peer_of(row))
    }
    sort()
    if (!json && measured) {
        heads("then"); heads("now")
        printf "\n%40s %9s %9s %10s %4s\n", "", "then", "now", "change", "+-%"
    }
    for (i = 1; i <= measured; i++) {
        show(done[i])
        unknown += verdict[done[i]] == "?"
    }
    if (unknown && !json) print "\n?: another processor or number of threads, and no peer on both sides: such times are not to be compared"
    for (i = 1; i <= missing; i++) {
        row = missed[i]
        gsub(/\t/, " ", row)
        if (error["now", missed[i]] != "") row = row ": " error["now", missed[i]]
        print "bench/compare: not measured: " row >"/dev/stderr"
    }
    exit (missing > 0)
}
