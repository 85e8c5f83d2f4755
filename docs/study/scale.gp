# scale: means of 5 seeds, bars are 95 % intervals
set terminal svg size 1280,720 font "sans-serif,20" background "white" noenhanced
set output "scale.svg"
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
set multiplot layout 1,2 title "Without 1/√d_k softmax saturates\nVaswani et al. 2017, 3.2.1 and footnote 4" font "sans-serif,24"
$p0a0 << EOD
4 0.95569719143932663 0.95193723530373719 0.95945714757491607
16 0.95607756119629406 0.9523486851174755 0.95980643727511261
64 0.95748388771784543 0.9560467439538558 0.95892103148183505
256 0.95621192531028854 0.95515178845291959 0.95727206216765748
EOD
$p0a1 << EOD
4 0.86097846066570616 0.84937979970686905 0.87257712162454326
16 0.64015519899919171 0.62694507698812763 0.6533653210102558
64 0.36039375799009321 0.35295870625602999 0.36782880972415644
256 0.1720623753192855 0.16916639747400047 0.17495835316457053
EOD
set ylabel "entropy before training (uniform: 1)"
set xlabel "d_k"
set logscale x
unset logscale y
set yrange [0:1]
set xrange [*:*]
set xtics norotate autofreq
set bmargin
set key tmargin center horizontal samplen 2
plot $p0a0 using 1:2:3:4 with yerrorlines lc 1 lw 2 pt 7 ps 0.5 title "scaled-dot", $p0a1 using 1:2:3:4 with yerrorlines lc 2 lw 2 pt 7 ps 0.5 title "dot"
$p1a0 << EOD
4 1.297125561496159 1.1570400180070315 1.4372111049852865
16 1.3097938517673255 1.0734598228301258 1.5461278807045253
64 1.4377487894511318 1.2476787402268641 1.6278188386753996
256 2.2276846084515607 2.1782736506565512 2.2770955662465702
EOD
$p1a1 << EOD
4 1.446442169524208 1.2908229854710884 1.6020613535773276
16 1.8494390138099146 1.5395148590477579 2.1593631685720713
64 2.2146583494139906 1.9770368325986278 2.4522798662293535
256 3.837407685747583 3.5497317284303964 4.1250836430647695
EOD
set ylabel "norm of dL/dS before training"
set xlabel "d_k"
set logscale x
unset logscale y
set yrange [0:6]
set xrange [*:*]
set xtics norotate autofreq
set bmargin
set key tmargin center horizontal samplen 2
plot $p1a0 using 1:2:3:4 with yerrorlines lc 1 lw 2 pt 7 ps 0.5 title "scaled-dot", $p1a1 using 1:2:3:4 with yerrorlines lc 2 lw 2 pt 7 ps 0.5 title "dot"
unset multiplot
