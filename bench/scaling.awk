# Prints the measurements of bench/scaling and the predictions of the formula.
#
# show=medians reads the log, lines mpi,transport,ranks,overlap,case,quantity,value, and writes the CSV, which has the
# median, the lowest and the highest value of all rounds. The other tables read that CSV.
#
# The formula is compared with updates of the same round, since a shared machine is not equally fast all the time: the
# CSV's row "predicted" is the median, over the rounds, of the predicted time divided by the measured time of that
# round.
#
# The time of an update with N ranks and G shares of one batch each, where a rank computes s = ceil(G/N) shares. All
# terms are measured separately, on N ranks at the same time, with the model's number of parameters P (the time for a byte
# too, which depends on how much is sent):
#
#     compute = s · (forward and backward)
#     memory  = s copies of P into the buffer from which they are sent, G/N additions of P, a copy of P back
#     update  = scale, norm and Adam of P
#     reduce  = 4 · P · s · (N-1)/N bytes out, and as many in, and a latency for each message of 512 KB
#     gather  = 4 · P · (N-1)/N bytes
#     meeting = 3 meetings of all ranks
#
# It describes updates that do not exchange during the backward pass; only those are predicted.
function key(mpi, over, ranks, overlap, what) { return mpi "," over "," ranks "," overlap "," what }
function min(a, b) { return a < b ? a : b }
function max(a, b) { return a > b ? a : b }
function ceil(x) { return x == int(x) ? x : int(x) + 1 }

# The median of a quantity, or, while medians are computed, its value in this round.
function value(k) { return round ? list[k, round] : median[k] }

# ---- medians ----

function sort(k, i, j, x) {
    for (i = 2; i <= n[k]; i++) {
        x = list[k, i]
        for (j = i - 1; j > 0 && list[k, j] > x; j--) list[k, j + 1] = list[k, j]
        list[k, j + 1] = x
    }
}
# Adds the rows "predicted".
function predict_each_round(i, k, f, c, measured) {
    measured = rows
    for (i = 1; i <= measured; i++) {
        split(order[i], f, ",")
        if (f[6] != "update" || f[4] != "no") continue
        split(f[5], c, "/")
        k = key(f[1], f[2], f[3], "no", f[5] ",predicted")
        order[++rows] = k
        for (round = 1; round <= n[order[i]]; round++)
            list[k, ++n[k]] = predict(f[1], f[2], f[3], c[1] "/" c[2], c[3]) / list[order[i], round]
    }
    round = 0
}
function print_medians(i, k) {
    predict_each_round()
    print "# " head
    print "mpi,transport,ranks,overlap,case,quantity,median,least,most"
    for (i = 1; i <= rows; i++) {
        k = order[i]
        sort(k)
        printf "%s,%.6g,%.6g,%.6g\n", k, (list[k, int((n[k] + 1) / 2)] + list[k, int(n[k] / 2 + 1)]) / 2, list[k, 1], list[k, n[k]]
    }
}

# ---- the formula ----

# The predicted seconds of an update; its parts are in `term`.
function predict(mpi, over, N, base, G, k, s, P, probe, sent, name) {
    k = key(mpi, over, N, "no", base)
    s = ceil(G / N)
    P = value(k ",params")
    split("", term)
    term["compute"] = s * value(k ",forward_backward")
    term["update"] = value(k ",replicated")
    if (N == 1) {
        if (G > 1) term["memory"] = value(k ",copy") + (G - 1) * value(k ",add")
    } else {
        term["memory"] = (s + 1) * value(k ",copy") + G / N * value(k ",add")
        probe = key(mpi, over, N, "no", "probe")
        sent = bytes * P * s * (N - 1) / N
        term["reduce"] = sent * value(k ",send_byte") + ceil(sent / message) * value(probe ",latency")
        term["gather"] = bytes * P * (N - 1) / N * value(k ",gather_byte")
        term["meeting"] = 3 * value(probe ",meeting")
    }
    sum = 0
    for (name in term) sum += term[name]
    return sum
}

# ---- tables ----

function say_where(mpi, over, N) {
    return sprintf("%-8s %-7s %5d", mpi, over, N)
}
# Prints a row of table `how` for each update of the CSV, in its order.
function each_update(how, i, f, c) {
    for (i = 1; i <= rows; i++) {
        split(order[i], f, ",")
        if (f[6] != "update") continue
        split(f[5], c, "/")
        mpi = f[1]; over = f[2]; N = f[3]; overlap = f[4]; base = c[1] "/" c[2]; G = c[3]; model = c[1]; sentences = c[2]
        took = median[order[i]]; spread = (most[order[i]] - least[order[i]]) / 2 / took
        if (how == "overlap" ? overlap == "yes" : overlap == "no") {
            if (how == "table") row_of_table()
            if (how == "check") row_of_check()
            if (how == "parts") row_of_parts()
            if (how == "overlap") row_of_overlap()
        }
    }
}
function row_of_table(alone) {
    alone = median[key(mpi, "memory", 1, "no", base "/" G ",update")]
    printf "%s   %s %9d %6d %10.1f %5.0f%%", say_where(mpi, over, N), model, sentences, G, 1e3 * took, 100 * spread
    if (N > 1) printf " %9.2f", alone / took
    print ""
}
function row_of_check(p, k) {
    p = predict(mpi, over, N, base, G)
    k = key(mpi, over, N, "no", base "/" G ",predicted")
    printf "%s   %s %9d %6d %10.1f %10.1f %+9.0f%% %+6.0f%% %+6.0f%%\n", say_where(mpi, over, N), model, sentences, G, 1e3 * took, 1e3 * p, 100 * (median[k] - 1), 100 * (least[k] - 1), 100 * (most[k] - 1)
    checked++
    off = median[k] > 1 ? median[k] - 1 : 1 - median[k]
    if (off <= 0.2) within++
    if (off > worst) worst = off
}
function row_of_parts() {
    predict(mpi, over, N, base, G)
    printf "%s   %s %9d %6d %9.2f %9.2f %9.2f %9.2f %9.2f\n", say_where(mpi, over, N), model, sentences, G, 1e3 * term["compute"], 1e3 * term["memory"], 1e3 * term["update"], 1e3 * term["reduce"], 1e3 * term["gather"]
}
function row_of_overlap(without) {
    without = median[key(mpi, over, N, "no", base "/" G ",update")]
    printf "%s   %s %9d %6d %12.1f %10.1f %9.2f\n", say_where(mpi, over, N), model, sentences, G, 1e3 * without, 1e3 * took, took / without
}

# ---- extrapolation ----

# The seconds of an update with one rank on each of N machines and `batches` batches of 4096 tokens in each share.
# Assumed are cores as fast as here, memory as fast as for one rank here, and for each byte the larger of two times: the
# link's, with the protocol's overhead as measured here, and the processor's as measured here.
function far(N, P, gbit, k, latency, slice, sent, time) {
    k = key(mpi, "memory", 1, "no", largest)
    time = batches * 6 * P * 4096 / (cores * median[k ",flop"] / median[k ",forward_backward"])
    k = key(mpi, "memory", 1, "no", widest)
    time += P * median[k ",replicated"] / median[k ",params"]
    if (N == 1) return time
    time += P * (2 * median[k ",copy"] + median[k ",add"]) / median[k ",params"]
    latency = median[key(mpi, "1gbit", 2, "no", "probe,latency")]
    slice = bytes * P / N
    sent = slice * (N - 1)
    time += sent * byte_at(gbit, "send_byte") + (N - 1) * ceil(slice / message) * latency
    return time + sent * byte_at(gbit, "gather_byte") + (N - 1) * latency
}
function byte_at(gbit, how) {
    return max(median[key(mpi, "1gbit", 2, "no", "probe," how)] / gbit, median[key(mpi, "10gbit", 2, "no", "probe," how)])
}
# Chooses from the cases of one rank the one with most operations (largest) and the one with most parameters (widest),
# and their MPI.
function choose(i, f, flop, params) {
    for (i = 1; i <= rows; i++) {
        split(order[i], f, ",")
        if (f[3] != 1 || (mpi != "" && f[1] != mpi)) continue
        mpi = f[1]
        if (f[6] == "flop" && median[order[i]] > flop) { flop = median[order[i]]; largest = f[5] }
        if (f[6] == "params" && median[order[i]] > params) { params = median[order[i]]; widest = f[5] }
    }
}
function extrapolate(i, j, l, N, P, gbit, machine, size, link, t, gb) {
    choose()
    split("8 64 512", machine, " "); split("10e6 100e6 1e9", size, " "); split("1 10 100", link, " ")
    printf "extrapolated, not measured: machines of %d cores, a share of %d x 4096 tokens each\n\n", cores, batches
    printf "%8s %10s %10s", "machines", "parameters", "a rank, GB"
    for (l = 1; l <= 3; l++) printf " %16s", link[l] " Gbit/s"
    print ""
    for (j = 1; j <= 3; j++)
        for (i = 1; i <= 3; i++) {
            N = machine[i]; P = size[j]
            printf "%8d %10s %10.1f", N, P / 1e6 " M", (16 + bytes * (1 + (N - 1) / N + 1)) * P / 1e9
            for (l = 1; l <= 3; l++) {
                t = far(N, P, link[l])
                printf " %8.2f s %4.0f %%", t, 100 * far(1, P, 1) / t
            }
            print ""
        }
}

BEGIN {
    FS = ","
    bytes = 4; message = 524288
}
# A file may contain several measurements, one after the other. Their comments are all printed.
/^#/ { head = head (head == "" ? "" : "\n") substr($0, 3); next }
$1 == "mpi" { next }
{
    k = $1 "," $2 "," $3 "," $4 "," $5 "," $6
    if (k in n && show != "medians") next # the first measurement of a quantity counts
    if (!(k in n)) order[++rows] = k
    list[k, ++n[k]] = $7 + 0
    if (show != "medians") { median[k] = $7 + 0; least[k] = $8 + 0; most[k] = $9 + 0 }
}
END {
    where = sprintf("%-8s %-7s %5s   %s %6s %6s", "MPI", "over", "ranks", "model", "sents", "shares")
    if (show == "medians") { print_medians(); exit }
    print head "\n"
    if (show == "table") printf "%s %10s %6s %9s\n", where, "update, ms", "+-", "speedup"
    if (show == "check") printf "%s %10s %10s %10s %7s %7s\n", where, "update, ms", "predicted", "difference", "from", "to"
    if (show == "parts") printf "%s %9s %9s %9s %9s %9s\n", where, "compute", "memory", "update", "reduce", "gather"
    if (show == "overlap") printf "%s %12s %10s %9s\n", where, "without, ms", "with, ms", "ratio"
    if (show == "extrapolate") extrapolate()
    else each_update(show)
    if (show == "check") printf "\n%d of %d within 20 %%; the largest difference is %.0f %%\n", within, checked, 100 * worst
}
