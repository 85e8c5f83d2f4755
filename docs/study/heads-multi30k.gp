# heads-multi30k: means of 5 seeds, bars are 95 % intervals
set terminal svg size 1280,720 font "sans-serif,20" background "white" noenhanced
set output "heads-multi30k.svg"
set linetype 1 lc rgb "#0072b2"
set linetype 2 lc rgb "#d55e00"
set linetype 3 lc rgb "#009e73"
set linetype 4 lc rgb "#cc79a7"
set linetype 5 lc rgb "#56b4e9"
set linetype 6 lc rgb "#e69f00"
set linetype 7 lc rgb "#444444"
set linetype 8 lc rgb "#b8a800"
set boxwidth 0.7
set pointintervalbox 0
set grid ytics lc rgb "#dddddd"
set border 3
set tics nomirror
set multiplot layout 1,2 title "Several heads beat one at equal width: Multi30k\nVaswani et al. 2017, table 3" font "sans-serif,24"
$p0a0 << EOD
0 28.555897771432228 28.008678057915962 29.103117484948495
EOD
$p0a1 << EOD
1 28.301717351415199 27.400093429445583 29.203341273384815
EOD
$p0a2 << EOD
2 27.422486792104383 27.014472874259006 27.83050070994976
EOD
$p0a3 << EOD
3 27.200345858431415 26.844465664591677 27.556226052271153
EOD
set ylabel "BLEU on test.tsv"
set xlabel ""
unset logscale x
unset logscale y
set yrange [* < 0 : 0 < *]
set xtics norotate ("1\nhead" 0, "2\nheads" 1, "4\nheads" 2, "8\nheads" 3)
set bmargin 4
set xrange [-0.7:3.7]
unset key
plot $p0a0 using 1:2 with boxes lc 1 fs solid 0.6, $p0a0 using 1:2:3:4 with yerrorbars lc rgb "#333333" lw 2 pt 7 ps 0.4, $p0a1 using 1:2 with boxes lc 2 fs solid 0.6, $p0a1 using 1:2:3:4 with yerrorbars lc rgb "#333333" lw 2 pt 7 ps 0.4, $p0a2 using 1:2 with boxes lc 3 fs solid 0.6, $p0a2 using 1:2:3:4 with yerrorbars lc rgb "#333333" lw 2 pt 7 ps 0.4, $p0a3 using 1:2 with boxes lc 4 fs solid 0.6, $p0a3 using 1:2:3:4 with yerrorbars lc rgb "#333333" lw 2 pt 7 ps 0.4
$p1a0 << EOD
0 0.047123167811440526 0.042792199172570558 0.051454136450310495
1600 0.19774380481242598 0.18145889009677374 0.21402871952807823
EOD
$p1a1 << EOD
0 0.046560530732648334 0.043178494206920937 0.049942567258375731
1600 0.20107498465419066 0.19497972971176095 0.20717023959662037
EOD
$p1a2 << EOD
0 0.046403912254483606 0.043917291083317177 0.048890533425650036
1600 0.20095423143584493 0.19630368632397741 0.20560477654771245
EOD
set ylabel "divergence of an attention's heads, nats"
set xlabel "updates"
unset logscale x
unset logscale y
set yrange [0:0.69310000000000005]
set xrange [*:*]
set xtics norotate autofreq
set bmargin
set key tmargin center horizontal samplen 2
plot $p1a0 using 1:2:3:4 with yerrorlines lc 1 lw 2 pt 7 ps 0.5 title "2 heads", $p1a1 using 1:2:3:4 with yerrorlines lc 2 lw 2 pt 7 ps 0.5 title "4 heads", $p1a2 using 1:2:3:4 with yerrorlines lc 3 lw 2 pt 7 ps 0.5 title "8 heads"
unset multiplot
