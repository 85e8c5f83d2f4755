# warmup: means of 5 seeds, bars are 95 % intervals
set terminal svg size 1280,720 font "sans-serif,20" background "white" noenhanced
set output "warmup.svg"
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
set multiplot layout 1,2 title "Post-norm needs warm-up\nXiong et al. 2020, theorem 1 and section 3" font "sans-serif,24"
$p0a0 << EOD
6 0.77783277927357786 0.72191304667020684 0.83375251187694888
8 0.7924539102271746 0.7658861663523584 0.81902165410199079
10 0.76914851087851688 0.73127053892610461 0.80702648283092915
12 0.7956610235342364 0.7643575397357294 0.8269645073327434
14 0.77647668408029424 0.72132445687553071 0.83162891128505778
16 0.79894270579138238 0.74435447931314647 0.85353093226961829
18 0.8056515093532608 0.79432092825653511 0.81698209044998649
EOD
$p0a1 << EOD
6 0.31665876493845396 0.29637970057589763 0.33693782930101029
8 0.27982377163882183 0.2695283710461821 0.29011917223146155
10 0.25487831163189434 0.24828149835147545 0.26147512491231323
12 0.23361660919335389 0.21892759578207696 0.24830562260463082
14 0.21986019024820216 0.20586675337246158 0.23385362712394275
16 0.20466137524250624 0.19477683516084104 0.21454591532417144
18 0.18983133162980742 0.17695923542095524 0.20270342783865961
EOD
set ylabel "norm of the gradient before training"
set xlabel "layers on each side"
unset logscale x
unset logscale y
set yrange [0:1]
set xrange [*:*]
set xtics norotate autofreq
set bmargin
set key tmargin center horizontal samplen 2
plot $p0a0 using 1:2:3:4 with yerrorlines lc 1 lw 2 pt 7 ps 0.5 title "post-norm", $p0a1 using 1:2:3:4 with yerrorlines lc 2 lw 2 pt 7 ps 0.5 title "pre-norm"
$p1a0 << EOD
0 1.5525598647662338 1.3619063872263706 1.7432133423060969
EOD
$p1a1 << EOD
1 4.8051493600501507 4.4686149515716416 5.1416837685286598
EOD
$p1a2 << EOD
2 0.6156817142671539 0.57188531515691476 0.65947811337739304
EOD
$p1a3 << EOD
3 0.4883465180470285 0.44471290345998715 0.53198013263406985
EOD
set ylabel "nats per word after training"
set xlabel ""
unset logscale x
unset logscale y
set yrange [0:6]
set xtics norotate ("post-norm\nwith\nwarm-up" 0, "post-norm\nwithout" 1, "pre-norm\nwith\nwarm-up" 2, "pre-norm\nwithout" 3)
set bmargin 5
set xrange [-0.7:3.7]
unset key
plot $p1a0 using 1:2 with boxes lc 1 fs solid 0.6, $p1a0 using 1:2:3:4 with yerrorbars lc rgb "#333333" lw 2 pt 7 ps 0.4, $p1a1 using 1:2 with boxes lc 2 fs solid 0.6, $p1a1 using 1:2:3:4 with yerrorbars lc rgb "#333333" lw 2 pt 7 ps 0.4, $p1a2 using 1:2 with boxes lc 3 fs solid 0.6, $p1a2 using 1:2:3:4 with yerrorbars lc rgb "#333333" lw 2 pt 7 ps 0.4, $p1a3 using 1:2 with boxes lc 4 fs solid 0.6, $p1a3 using 1:2:3:4 with yerrorbars lc rgb "#333333" lw 2 pt 7 ps 0.4
unset multiplot
