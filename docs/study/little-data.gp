# little-data: means of 5 seeds, bars are 95 % intervals
set terminal svg size 1280,720 font "sans-serif,20" background "white" noenhanced
set output "little-data.svg"
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
set multiplot layout 1,2 title "Tying, label smoothing, dropout on little data\nVaswani et al. 2017, table 3, row D; Press & Wolf 2017" font "sans-serif,24"
$p0a0 << EOD
0 68.076119895197365 64.105263316041786 72.046976474352945
EOD
$p0a1 << EOD
1 65.12647361856844 63.068673694672235 67.184273542464652
EOD
$p0a2 << EOD
2 65.900277952063789 63.791862466979275 68.00869343714831
EOD
$p0a3 << EOD
3 53.756203352934143 49.774576399401795 57.737830306466492
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
0 0.59587883367264849 0.50371366779517501 0.68804399955012197
EOD
$p1a1 << EOD
1 0.67507438136675479 0.60437910593313038 0.74576965680037921
EOD
$p1a2 << EOD
2 0.7309529555730514 0.63097853600879383 0.83092737513730897
EOD
$p1a3 << EOD
3 1.0744623274213154 0.9333275897701131 1.2155970650725179
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
