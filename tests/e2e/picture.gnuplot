# SPDX-License-Identifier: Apache-2.0
#
# Draws what tests/e2e/picture has seen. It sets folder and has_old. A row for each scene; on the left
# without Capstan, on the right with it.

array scenes[4] = ['scale', 'autoscaler', 'edit', 'old']
array titles[4] = ['1. kubectl scale --replicas=5, stdio server', '2. HPA with minReplicas 2, stdio server', \
    '3. edit of the spec, stdio server', '4. old operator, kubectl scale --replicas=3, sse server']
array sides[2] = ['without', 'with']
array seconds[4] = [12, 60, 12, 20]
array meanings[3] = ['replicas of the Deployment', 'pods that are ready', 'pods that are not ready yet']
array colours[3] = ['#d9580d', '#1f77b4', '#9cc3e6']
n_rows = has_old ? 4 : 3
top = 70.0
row_height = 186
height = top + row_height * n_rows + 5

# A background of its own, so that it can be read on light and on dark pages.
set terminal svg size 900, height font 'sans-serif,13' background '#f6f8fa' name 'beside_the_operator'
set style fill solid noborder
set border 3 linecolor '#57606a'
set tics out scale 0.5 nomirror textcolor '#24292f'
set grid ytics back linecolor '#d0d7de' linetype 1
set yrange [0:6]
set ytics 0, 1, 5
set format x '%g s'
set xtics offset 0, 0.3
unset key
set multiplot

# The legend of the colours, and the heads of the columns, once.
line = 1 - 20 / height
do for [i = 1:3] {
    left = 0.05 + 0.3 * (i - 1)
    half = (i == 1 ? 1.5 : 6) / height
    set object i rectangle from screen left, line - half to screen left + 0.025, line + half \
        fillcolor rgb colours[i] fillstyle solid noborder
    set label i meanings[i] at screen left + 0.035, line textcolor '#24292f'
}
do for [side = 1:2] {
    set label 3 + side sides[side] . ' Capstan' at screen side == 1 ? 0.265 : 0.755, 1 - 54 / height \
        center font ',16' textcolor '#24292f'
}

do for [row = 1:n_rows] {
    do for [side = 1:2] {
        file = folder . '/' . scenes[row] . '.' . sides[side]
        above = top + row_height * (row - 1)
        set lmargin at screen side == 1 ? 0.05 : 0.54
        set rmargin at screen side == 1 ? 0.48 : 0.97
        set tmargin at screen 1 - (above + 28) / height
        set bmargin at screen 1 - (above + 150) / height
        set xrange [-1:seconds[row]]
        set title titles[row] . (row == 3 && side == 2 ? ', preventSurge' : '') \
            noenhanced textcolor '#24292f' offset 0, -0.6
        plot file using 1:3 with fillsteps linecolor rgb colours[3], \
            '' using 1:4 with fillsteps linecolor rgb colours[2], \
            '' using 1:2 with steps linewidth 2.5 linecolor rgb colours[1]
        unset label
        unset object
    }
}
unset multiplot
