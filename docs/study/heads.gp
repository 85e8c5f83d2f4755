# heads: means of 5 seeds, bars are 95 % intervals
set terminal svg size 1280,720 font "sans-serif,20" background "white" noenhanced
set output "heads.svg"
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
set multiplot layout 1,2 title "Several heads beat one at equal width\nVaswani et al. 2017, table 3" font "sans-serif,24"
$p0a0 << EOD
0 75.88000000000001 71.248743087724606 80.511256912275414
EOD
$p0a1 << EOD
1 77.280000000000001 71.949225398015997 82.610774601984005
EOD
$p0a2 << EOD
2 77.200000000000003 73.191905536562047 81.208094463437959
EOD
$p0a3 << EOD
3 76.440000000000012 72.166077804683496 80.713922195316528
EOD
set ylabel "sentences written right, %"
set xlabel ""
unset logscale x
unset logscale y
set yrange [0:100]
set xtics norotate ("1\nhead" 0, "2\nheads" 1, "4\nheads" 2, "8\nheads" 3)
set bmargin 4
set xrange [-0.7:3.7]
unset key
plot $p0a0 using 1:2 with boxes lc 1 fs solid 0.6, $p0a0 using 1:2:3:4 with yerrorbars lc rgb "#333333" lw 2 pt 7 ps 0.4, $p0a1 using 1:2 with boxes lc 2 fs solid 0.6, $p0a1 using 1:2:3:4 with yerrorbars lc rgb "#333333" lw 2 pt 7 ps 0.4, $p0a2 using 1:2 with boxes lc 3 fs solid 0.6, $p0a2 using 1:2:3:4 with yerrorbars lc rgb "#333333" lw 2 pt 7 ps 0.4, $p0a3 using 1:2 with boxes lc 4 fs solid 0.6, $p0a3 using 1:2:3:4 with yerrorbars lc rgb "#333333" lw 2 pt 7 ps 0.4
$p1a0 << EOD
0 0.045636094429574101 0.041942351035667874 0.049329837823480327
1000 0.22835516439251888 0.20833401305048646 0.2483763157345513
EOD
$p1a1 << EOD
0 0.044920251924340807 0.041839676126734109 0.048000827721947505
1000 0.23721497074698786 0.22710078120008967 0.24732916029388605
EOD
$p1a2 << EOD
0 0.044360536812814683 0.041781765271657605 0.046939308353971761
1000 0.23055946481755521 0.22475363356522357 0.23636529606988685
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
