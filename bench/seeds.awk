# Prints the table of bench/multi30k from its seeds.csv:
#
#     awk -f bench/seeds.awk runs/multi30k-en-de-highest/seeds.csv
#
# Columns are found by their names in the first line, so columns may be added. The variables quick and caution are set
# with -v.

# Splits a line of CSV into f[1], f[2], …; text in quotes may contain commas.
function fields(line,    n, c, i, inside) {
    n = 1
    f[1] = ""
    for (i = 1; i <= length(line); i++) {
        c = substr(line, i, 1)
        if (c == "\"") inside = !inside
        else if (c == "," && !inside) f[++n] = ""
        else f[n] = f[n] c
    }
    return n
}
function of(name) { return f[at[name]] }
function add(name) { sum[name] += of(name) }

NR == 1 {
    n = fields($0)
    for (i = 1; i <= n; i++) at[f[i]] = i
    next
}
{ fields($0) }
NR == 2 {
    pair = of("pair")
    machine = of("machine")
    departs = of("departs")
    printf "Multi30k %s, the recipe of Wu et al. (2021)%s, matrix precision %s\n", pair, \
        departs == "" ? "" : " with " departs, of("precision")
    printf "%s; %s\n\n", of("date"), machine
    printf "%5s %8s %7s %8s %7s %7s %10s %11s   %s\n", "seed", "updates", "epochs", "minutes", "BLEU", "chrF2", \
        "sacreBLEU", "best epoch", "ended"
}
{
    printf "%5s %8d %7d %8.1f %7.2f %7.2f", of("seed"), of("updates"), of("epochs"), of("minutes"), of("bleu"), \
        of("chrf2")
    theirs = of("sacrebleu") == "" ? "-" : sprintf("%.2f", of("sacrebleu"))
    printf " %10s %11.2f   %s\n", theirs, of("best_bleu"), of("ended")
    count++
    add("updates"); add("epochs"); add("minutes"); add("bleu"); add("chrf2"); add("sacrebleu"); add("best_bleu")
    if (of("sacrebleu") == "") lacks = 1
    if (of("machine") != machine) others = 1
}
END {
    if (!count) exit
    printf "%5s %8.0f %7.0f %8.1f %7.2f %7.2f", "mean", sum["updates"] / count, sum["epochs"] / count, \
        sum["minutes"] / count, sum["bleu"] / count, sum["chrf2"] / count
    printf " %10s %11.2f\n\n", lacks ? "-" : sprintf("%.2f", sum["sacrebleu"] / count), sum["best_bleu"] / count
    print "BLEU, chrF2 and sacreBLEU: averaged weights, beam 5; best epoch: its weights alone, BLEU, the same beam."
    if (others) print "Not all seeds were trained on one machine, or with as many threads: seeds.csv tells."
    if (caution != "") print "Caution: " caution "."
    if (quick) print "These are a few updates on a few pairs: the numbers say nothing."
    else if (pair == "en-de") print "Published: 41.02."
}
