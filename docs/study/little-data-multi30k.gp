# little-data-multi30k: means of 5 seeds, bars are 95 % intervals
set terminal svg size 1280,720 font "sans-serif,20" background "white" noenhanced
set output "little-data-multi30k.svg"
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
set multiplot layout 1,2 title "Tying, label smoothing, dropout on little data: Multi30k\nVaswani et al. 2017, table 3, row D; Press & Wolf 2017" font "sans-serif,24"
$p0a0 << EOD
0 18.838003619447584 16.476792020726279 21.199215218168888
EOD
$p0a1 << EOD
1 18.11937561832762 15.966044399679873 20.272706836975367
EOD
$p0a2 << EOD
2 18.700060250424148 16.270188967846533 21.129931533001763
EOD
$p0a3 << EOD
3 13.866742922367314 11.846885619235618 15.886600225499009
EOD
set ylabel "BLEU, held-out sentences"
set xlabel ""
unset logscale x
unset logscale y
set yrange [* < 0 : 0 < *]
set xtics norotate ("all\nthree" 0, "no\ntying" 1, "no\nsmoothing" 2, "no\ndropout" 3)
set bmargin 4
set xrange [-0.7:3.7]
unset key
plot $p0a0 using 1:2 with boxes lc 1 fs solid 0.6, $p0a0 using 1:2:3:4 with yerrorbars lc rgb "#333333" lw 2 pt 7 ps 0.4, $p0a1 using 1:2 with boxes lc 2 fs solid 0.6, $p0a1 using 1:2:3:4 with yerrorbars lc rgb "#333333" lw 2 pt 7 ps 0.4, $p0a2 using 1:2 with boxes lc 3 fs solid 0.6, $p0a2 using 1:2:3:4 with yerrorbars lc rgb "#333333" lw 2 pt 7 ps 0.4, $p0a3 using 1:2 with boxes lc 4 fs solid 0.6, $p0a3 using 1:2:3:4 with yerrorbars lc rgb "#333333" lw 2 pt 7 ps 0.4
$p1a0 << EOD
0 2.251916213759972 2.1736267282319761 2.3302056992879678
EOD
$p1a1 << EOD
1 2.4517191562578575 2.3857194326463351 2.5177188798693799
EOD
$p1a2 << EOD
2 2.5300944011420432 2.4032255917187544 2.656963210565332
EOD
$p1a3 << EOD
3 3.6422053500722091 3.6143902774793202 3.6700204226650981
EOD
set ylabel "nats per word, held-out sentences"
set xlabel ""
unset logscale x
unset logscale y
set yrange [* < 0 : 0 < *]
set xtics norotate ("all\nthree" 0, "no\ntying" 1, "no\nsmoothing" 2, "no\ndropout" 3)
set bmargin 4
set xrange [-0.7:3.7]
unset key
plot $p1a0 using 1:2 with boxes lc 1 fs solid 0.6, $p1a0 using 1:2:3:4 with yerrorbars lc rgb "#333333" lw 2 pt 7 ps 0.4, $p1a1 using 1:2 with boxes lc 2 fs solid 0.6, $p1a1 using 1:2:3:4 with yerrorbars lc rgb "#333333" lw 2 pt 7 ps 0.4, $p1a2 using 1:2 with boxes lc 3 fs solid 0.6, $p1a2 using 1:2:3:4 with yerrorbars lc rgb "#333333" lw 2 pt 7 ps 0.4, $p1a3 using 1:2 with boxes lc 4 fs solid 0.6, $p1a3 using 1:2:3:4 with yerrorbars lc rgb "#333333" lw 2 pt 7 ps 0.4
unset multiplot
