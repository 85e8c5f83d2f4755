# causal: means of 5 seeds, bars are 95 % intervals
set terminal svg size 1280,720 font "sans-serif,20" background "white" noenhanced
set output "causal.svg"
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
set multiplot layout 1,2 title "Without the causal mask the loss lies\nVaswani et al. 2017, 3.2.3" font "sans-serif,24"
$p0a0 << EOD
0 0.24196283754865688 0.22070458269197002 0.26322109240534375
EOD
$p0a1 << EOD
1 0.12766537597090952 0.11513321017197636 0.14019754176984267
EOD
set ylabel "nats per word, true words read"
set xlabel ""
unset logscale x
unset logscale y
set yrange [* < 0 : 0 < *]
set xtics norotate ("causal\nmask" 0, "no\ncausal\nmask" 1)
set bmargin 5
set xrange [-0.7:1.7]
unset key
plot $p0a0 using 1:2 with boxes lc 1 fs solid 0.6, $p0a0 using 1:2:3:4 with yerrorbars lc rgb "#333333" lw 2 pt 7 ps 0.4, $p0a1 using 1:2 with boxes lc 2 fs solid 0.6, $p0a1 using 1:2:3:4 with yerrorbars lc rgb "#333333" lw 2 pt 7 ps 0.4
$p1a0 << EOD
0 58.920000000000002 57.747301104239234 60.092698895760769
EOD
$p1a1 << EOD
1 0 0 0
EOD
set ylabel "sentences written right, %"
set xlabel ""
unset logscale x
unset logscale y
set yrange [0:100]
set xtics norotate ("causal\nmask" 0, "no\ncausal\nmask" 1)
set bmargin 5
set xrange [-0.7:1.7]
unset key
plot $p1a0 using 1:2 with boxes lc 1 fs solid 0.6, $p1a0 using 1:2:3:4 with yerrorbars lc rgb "#333333" lw 2 pt 7 ps 0.4, $p1a1 using 1:2 with boxes lc 2 fs solid 0.6, $p1a1 using 1:2:3:4 with yerrorbars lc rgb "#333333" lw 2 pt 7 ps 0.4
unset multiplot
