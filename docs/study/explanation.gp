# explanation: means of 5 seeds, bars are 95 % intervals
set terminal svg size 1280,720 font "sans-serif,20" background "white" noenhanced
set output "explanation.svg"
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
set multiplot layout 1,2 title "Is attention explanation?\nJain & Wallace 2019; Wiegreffe & Pinter 2019; Abnar & Zuidema 2020" font "sans-serif,24"
$p0a0 << EOD
0 0.5520210678210673 0.47258963091913148 0.63145250472300318
EOD
$p0a1 << EOD
1 0.33172506012505998 0.16554175020702175 0.49790837004309818
EOD
$p0a2 << EOD
2 0.86131210517877022 0.78173399466877369 0.94089021568876674
EOD
$p0a3 << EOD
3 0.47864550264550232 0.42723794576244534 0.5300530595285593
EOD
set ylabel "tau of weights and gradients"
set xlabel ""
unset logscale x
unset logscale y
set yrange [* < 0 : 0 < *]
set xtics norotate ("GRU" 0, "GRU\nfrozen" 1, "averaging" 2, "averaging\nfrozen" 3)
set bmargin 4
set xrange [-0.7:3.7]
unset key
plot $p0a0 using 1:2 with boxes lc 1 fs solid 0.6, $p0a0 using 1:2:3:4 with yerrorbars lc rgb "#333333" lw 2 pt 7 ps 0.4, $p0a1 using 1:2 with boxes lc 2 fs solid 0.6, $p0a1 using 1:2:3:4 with yerrorbars lc rgb "#333333" lw 2 pt 7 ps 0.4, $p0a2 using 1:2 with boxes lc 3 fs solid 0.6, $p0a2 using 1:2:3:4 with yerrorbars lc rgb "#333333" lw 2 pt 7 ps 0.4, $p0a3 using 1:2 with boxes lc 4 fs solid 0.6, $p0a3 using 1:2:3:4 with yerrorbars lc rgb "#333333" lw 2 pt 7 ps 0.4
$p1a0 << EOD
1 0.61040389610389567 0.54936429564279587 0.67144349656499547
2 0.536154545454545 0.44600145793860724 0.62630763297048275
3 0.54370591630591603 0.4715097305422985 0.61590210206953355
4 0.31103809523809511 0.0060973664473230049 0.61597882402886728
5 0.26890000000000014 0.059618513199294482 0.47818148680070582
6 -0.03321212121212113 -0.29088825482535052 0.22446401240110825
EOD
$p1a1 << EOD
1 0.61040389610389567 0.54936429564279587 0.67144349656499547
2 0.62705873015872982 0.55839126079523616 0.69572619952222348
3 0.62601601731601686 0.55762728035335163 0.69440475427868209
4 0.62368614718614701 0.55592833086659188 0.69144396350570214
5 0.62314588744588728 0.55491001275767537 0.69138176213409919
6 0.62252481962481954 0.55307714675436925 0.69197249249526982
EOD
$p1a2 << EOD
1 0.61040389610389567 0.54936429564279587 0.67144349656499547
2 0.62348802308802298 0.56368945647993129 0.68328658969611467
3 0.62507242920108319 0.56447585099291231 0.68566900740925407
4 0.57902749736502057 0.52211675369260147 0.63593824103743968
5 0.58071929749015239 0.53331048460329744 0.62812811037700733
6 0.57874083007081212 0.5243843028797005 0.63309735726192373
EOD
set ylabel "rank correlation with input gradients"
set xlabel "layer of the encoder"
unset logscale x
unset logscale y
set yrange [-1:1]
set xrange [*:*]
set xtics norotate autofreq
set bmargin
set key tmargin center horizontal samplen 2
plot $p1a0 using 1:2:3:4 with yerrorlines lc 1 lw 2 pt 7 ps 0.5 title "raw attention", $p1a1 using 1:2:3:4 with yerrorlines lc 2 lw 2 pt 7 ps 0.5 title "rollout", $p1a2 using 1:2:3:4 with yerrorlines lc 3 lw 2 pt 7 ps 0.5 title "flow"
unset multiplot
