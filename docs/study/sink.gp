# sink: means of 5 seeds, bars are 95 % intervals
set terminal svg size 1280,720 font "sans-serif,20" background "white" noenhanced
set output "sink.svg"
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
set multiplot layout 1,2 title "Attention parks weight on tokens that say nothing\nXiao et al. 2023; Gu et al. 2025" font "sans-serif,24"
$p0a0 << EOD
100 0 0 0
200 0 0 0
400 0 0 0
800 0 0 0
1200 0 0 0
EOD
$p0a1 << EOD
100 0 0 0
200 0 0 0
400 0 0 0
800 0 0 0
1200 0 0 0
EOD
set ylabel "heads that give the first token more than .3, %"
set xlabel "updates"
unset logscale x
unset logscale y
set yrange [0:100]
set xrange [*:*]
set xtics norotate autofreq
set bmargin
set key tmargin center horizontal samplen 2
plot $p0a0 using 1:2:3:4 with yerrorlines lc 1 lw 2 pt 7 ps 0.5 title "softmax", $p0a1 using 1:2:3:4 with yerrorlines lc 2 lw 2 pt 7 ps 0.5 title "sigmoid"
$p1a0 << EOD
100 0.073340988475939811 0.072383235039983354 0.074298741911896268
200 0.070199130082897951 0.068528859621839716 0.071869400543956186
400 0.062683817873837672 0.060145863339580934 0.065221772408094417
800 0.054819204640488818 0.05177881462081086 0.057859594660166776
1200 0.052405226174434771 0.050629457046304102 0.054180995302565441
EOD
$p1a1 << EOD
100 0.068691782034751098 0.063831598498673953 0.073551965570828243
200 0.065831837089929207 0.063119057667258588 0.068544616512599826
400 0.062218577579298509 0.056759171343775706 0.067677983814821319
800 0.059119838082232833 0.056147872518309529 0.062091803646156137
1200 0.056260295038590591 0.05337744301003973 0.059143147067141452
EOD
$p1a2 << EOD
100 0.074123295370402617 0.074123295370402617 0.074123295370402617
200 0.074123295370402617 0.074123295370402617 0.074123295370402617
400 0.074123295370402617 0.074123295370402617 0.074123295370402617
800 0.074123295370402617 0.074123295370402617 0.074123295370402617
1200 0.074123295370402617 0.074123295370402617 0.074123295370402617
EOD
set ylabel "weight of the first token, mean of heads"
set xlabel "updates"
unset logscale x
unset logscale y
set yrange [0:0.29999999999999999]
set xrange [*:*]
set xtics norotate autofreq
set bmargin
set key tmargin center horizontal samplen 2
plot $p1a0 using 1:2:3:4 with yerrorlines lc 1 lw 2 pt 7 ps 0.5 title "softmax", $p1a1 using 1:2:3:4 with yerrorlines lc 2 lw 2 pt 7 ps 0.5 title "sigmoid", $p1a2 using 1:2:3:4 with yerrorlines lc 3 lw 2 pt 7 ps 0.5 title "equal weights"
unset multiplot
