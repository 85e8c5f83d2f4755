# Prints what bench/turns has measured: tables; or, with json=1, a line of JSON for every row; or, with about='"key":
# …', the lines of bench/history/README.md, which begin with that text. Its input has the columns
#
#     section  case  side  against  answer          separated by tabs; the answer is a line of JSON
#
# A row is a side of a case and shows medians over the rounds. +-: half of the distance between the lowest and the
# highest round, in per cent. "of peak": the share of the highest float32 peak, which the side "peak" has measured
# between the turns.
#
#     awk -v head="first line" [-v json=1] [-v about=PAIRS] -f bench/table.awk log
BEGIN {
    FS = "\t"
    title["step"] = "A training step: zero gradients, forward, loss, backward, clip, Adam"
    title["memory"] = "Peak memory of a process that takes training steps, MB"
    title["decode"] = "Greedy decoding with caches"
    title["sentence"] = "One sentence translated by the T1 model, from the start of the process to its end"
    title["products"] = "Matrix products alone, packing included: GFLOP/s, share of the float32 peak, and +-%"
    title["threads"] = "Two threads against one"
    title["steps"] = "The same step after many steps"
    title["lengths"] = "The same number of tokens in longer sentences, against the formula"
    title["gpt"] = "A decoder-only step: 4 layers, 4 heads, width 128, vocabulary 10,000, 32 x 64 tokens"
    title["generate"] = "The same model writes 192 sampled words behind 64, with caches: 1 text, and 32 at once"
    title["against"] = "This tree and the commit, in turn"
    title["recurrent"] = "A GRU and an LSTM, forward and backward: 32 sentences of 32 steps, width 128"
    title["mlp"] = "A perceptron's step: 784-64-10, batch 64"
}

# A field of the answer.
function field(name, s) {
    if (!match($5, "\"" name "\": (\"[^\"]*\"|[^,}]*)")) return ""
    s = substr($5, RSTART, RLENGTH)
    sub(/^[^:]*: /, "", s)
    gsub(/"/, "", s)
    return s
}
function keep(key, value) { list[key, ++n[key]] = value + 0 }
function sort(key, i, j, x) {
    for (i = 2; i <= n[key]; i++) {
        x = list[key, i]
        for (j = i - 1; j > 0 && list[key, j] > x; j--) list[key, j + 1] = list[key, j]
        list[key, j + 1] = x
    }
    sorted[key] = 1
}
function median(key) {
    if (!n[key]) return 0
    if (!sorted[key]) sort(key)
    return (list[key, int((n[key] + 1) / 2)] + list[key, int(n[key] / 2 + 1)]) / 2
}
function spread(key, m) {
    m = median(key)
    return m ? 50 * (list[key, n[key]] - list[key, 1]) / m : 0
}

{
    section = $1; row = $1 "\t" $2 "\t" $3
    if (!(section in rows)) { rows[section] = 0; order[++sections] = section }
    if ($3 == "peak") {
        has_peak[section] = 1; now = field("gflops") + 0
        if (now > peak) peak = now
        if (!lowest || now < lowest) lowest = now
        next
    }
    if (!(row in seen)) {
        seen[row] = 1
        id = section SUBSEP (++rows[section])
        of[id] = row; name[id] = $2; side[id] = $3; against[id] = $4
        if (!((section, $2) in is_case)) { is_case[section, $2] = 1; cases[section, ++case_count[section]] = $2 }
        if (!((section, $3) in is_side)) { is_side[section, $3] = 1; sides[section, ++side_count[section]] = $3 }
    }
    if (field("error") != "") { trouble[row] = field("error"); next }
    keep(row, section == "memory" ? field("rss_mb") : field("ms_median"))
    if (field("gflop") != "") gflop[section, $2] = field("gflop")
    if (field("tokens") != "") tokens[row] = field("tokens")
    if (field("how") != "") how[row] = field("how")
    if (section == "steps") how[row] = field("steps") " steps"
}

# ---- the columns of a row; "" if there is no value ----

function speed(row, part) { # GFLOP/s
    split(row, part, "\t")
    return median(row) && gflop[part[1], part[2]] ? 1e3 * gflop[part[1], part[2]] / median(row) : ""
}
function share(row, part) {
    split(row, part, "\t")
    return has_peak[part[1]] && speed(row) ? 100 * speed(row) / peak : ""
}
function rate(row) { return tokens[row] && median(row) ? 1e3 * tokens[row] / median(row) : "" }
function ratio(id, other) {
    other = of[id]
    sub(/[^\t]*$/, against[id], other)
    return against[id] != "" && median(of[id]) && n[other] ? median(other) / median(of[id]) : ""
}

# ---- tables ----

function cell(format, width, value) { return sprintf("%" width "s", value == "" ? "-" : sprintf(format, value)) }
# A row for each side.
function plain(s, i, line, last, note, has_speed, has_rate, has_share) {
    for (i = 1; i <= rows[s]; i++) {
        if (speed(of[s, i])) has_speed = 1
        if (share(of[s, i])) has_share = 1
        if (rate(of[s, i])) has_rate = 1
    }
    line = sprintf("%-12s %-22s %10s %5s", "", "", s == "memory" ? "MB" : "ms", "+-%")
    if (has_speed) line = line sprintf(" %9s", "GFLOP/s")
    if (has_share) line = line sprintf(" %8s", "of peak")
    if (has_rate) line = line sprintf(" %10s", "tokens/s")
    print line
    for (i = 1; i <= rows[s]; i++) {
        row = of[s, i]
        line = sprintf("%-12s %-22s", name[s, i] == last ? "" : name[s, i], side[s, i])
        last = name[s, i]
        if (!n[row]) { print line " " trouble[row]; continue }
        line = line cell(median(row) < 10 ? "%.3f" : "%.1f", 11, median(row)) cell("%.0f", 6, spread(row))
        if (has_speed) line = line cell("%.1f", 10, speed(row))
        if (has_share) line = line cell("%.0f%%", 9, share(row))
        if (has_rate) line = line cell("%.0f", 11, rate(row))
        note = ratio(s SUBSEP i) != "" ? sprintf("%.2f x %s", ratio(s SUBSEP i), against[s, i]) : ""
        if (how[row] != "") note = note (note == "" ? "" : "; ") "(" how[row] ")"
        print line "   " note
    }
}
# A row for each case, a column for each side.
function wide(s, c, k, line, row) {
    line = sprintf("%-24s", "")
    for (k = 1; k <= side_count[s]; k++) line = line sprintf(" %19s", sides[s, k])
    print line
    for (c = 1; c <= case_count[s]; c++) {
        line = sprintf("%-24s", cases[s, c])
        for (k = 1; k <= side_count[s]; k++) {
            row = s "\t" cases[s, c] "\t" sides[s, k]
            if (!n[row]) line = line sprintf(" %19s", "-")
            else line = line sprintf(" %9.1f %4.0f%% %3.0f", speed(row), share(row), spread(row))
        }
        print line
    }
}
# Each row compared with the first row of its side.
function growth(s, i, row, first, group, line) {
    print sprintf("%-12s %-22s %10s %5s %9s %10s %12s", "", "", "ms", "+-%", "us/token", "measured", "by formula")
    for (i = 1; i <= rows[s]; i++) {
        row = of[s, i]
        if (!n[row]) { print sprintf("%-12s %-22s ", name[s, i], side[s, i]) trouble[row]; continue }
        if (side[s, i] != group) { group = side[s, i]; first = i }
        line = sprintf("%-12s %-22s %10.3f %5.0f %9.2f %10.2f", name[s, i], side[s, i], median(row), spread(row), \
            1e3 * median(row) / tokens[row], median(row) / median(of[s, first]))
        line = line cell("%.2f", 13, gflop[s, name[s, i]] ? gflop[s, name[s, i]] / gflop[s, name[s, first]] : "")
        print line (how[row] == "" ? "" : "   (" how[row] ")")
    }
}

# ---- JSON ----

function pair(key, value, format) { return value == "" ? "" : sprintf(", \"%s\": " format, key, value) }
function json_row(s, i, row) {
    row = of[s, i]
    printf "{\"section\": \"%s\", \"case\": \"%s\", \"side\": \"%s\"", s, name[s, i], side[s, i]
    if (!n[row]) { print pair("error", trouble[row], "\"%s\"") "}"; return }
    print pair(s == "memory" ? "mb" : "ms", median(row), "%.6g") pair("spread_percent", spread(row), "%.1f") \
        pair("rounds", n[row], "%d") pair("gflops", speed(row), "%.1f") pair("peak_percent", share(row), "%.1f") \
        pair("tokens_s", rate(row), "%.0f") pair("ratio", ratio(s SUBSEP i), "%.3f") \
        pair("against", ratio(s SUBSEP i) == "" ? "" : against[s, i], "\"%s\"") pair("how", how[row], "\"%s\"") "}"
}

# ---- the lines of bench/history/README.md ----

function is_peer(side) { return side ~ /^(PyTorch|OpenBLAS|oneDNN|…, giving back)/ }
# Each peer's milliseconds divided by ours; the peer that the table compares with comes first.
function ratios(s, i, k, one, line, first) {
    for (k = 1; k <= rows[s]; k++)
        if (name[s, k] == name[s, i] && is_peer(side[s, k]) && median(of[s, k])) {
            one = sprintf(", \"%s\": %.4g", side[s, k], median(of[s, k]) / median(of[s, i]))
            if (side[s, k] == against[s, i]) first = one
            else line = line one
        }
    return substr(first line, 3)
}
function history_row(s, i, row, end) {
    row = of[s, i]
    printf "{%s, \"section\": \"%s\", \"case\": \"%s\", \"side\": \"%s\"", about, s, name[s, i], side[s, i]
    if (!n[row]) { print pair("error", trouble[row], "\"%s\"") "}"; return }
    end = is_peer(side[s, i]) ? ", \"peer\": true" : ", \"ratios\": {" ratios(s, i) "}"
    print pair("peak_gflops", peak, "%.1f") pair("lowest_peak_gflops", lowest, "%.1f") \
        pair("unit", s == "memory" ? "MB" : "ms", "\"%s\"") pair("median", median(row), "%.6g") \
        pair("spread", spread(row), "%.1f") pair("rounds", n[row], "%d") end pair("how", how[row], "\"%s\"") "}"
}

END {
    if (about != "") {
        for (k = 1; k <= sections; k++)
            for (i = 1; i <= rows[order[k]]; i++) history_row(order[k], i)
        exit
    }
    if (json) print "{\"section\": \"about\"" pair("text", head, "\"%s\"") pair("peak_gflops", peak, "%.1f") \
        pair("lowest_peak_gflops", lowest, "%.1f") "}"
    else print head (peak ? sprintf("; float32 peak %.0f GFLOP/s", peak) : "")
    if (!json && lowest < 0.8 * peak) {
        printf "The machine was busy with other work: once its peak was %.0f GFLOP/s.\n", lowest
        print "(There GOMP_SPINCOUNT=1000 in the environment helps all sides: threads that wait leave the cores alone.)"
    }
    for (k = 1; k <= sections; k++) {
        s = order[k]
        if (json) {
            for (i = 1; i <= rows[s]; i++) json_row(s, i)
            continue
        }
        print ""
        print title[s]
        print ""
        if (s == "products") wide(s)
        else if (s == "steps" || s == "lengths") growth(s)
        else plain(s)
    }
}
