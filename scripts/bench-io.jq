# SPDX-License-Identifier: GPL-2.0-or-later
#
# fio's JSON of images/bench-guest to the measurements of scripts/bench io.
#
# A pair is what was measured next to each other: our drive, QEMU's, ours again.
# Its ratio is QEMU's against the mean of the two runs that enclose it, so that
# a slow drift of the machine cancels; the noise is what the two runs of the same
# drive differ by. Reported: medians over all pairs, and the extremes.
def median: sort | (.[(length - 1) / 2 | floor] + .[length / 2 | floor]) / 2;
def places($n): . * pow(10; $n) | round / pow(10; $n);
def entry($name; $value; $unit; $aim):
    {name: $name, value: $value, unit: $unit, aim: $aim};

(.jobs[] | select(.error != 0) |
    error("fio: job \(.jobname) failed with error \(.error)")),
([.jobs[] | (.jobname | split(".")) as $n | select($n[0] != "fill") |
    {rw: $n[0], qd: ($n[1] | tonumber), pair: $n[2], drive: $n[3],
     iops: (.read.iops + .write.iops)}]
| group_by([.rw, .qd])
| map(.[0] as $at | "io.\($at.rw).qd\($at.qd)" as $name
    | group_by(.pair)
    | map(map({(.drive): .iops}) | add)
    | map(. + {ours: ((.lab + .again) / 2)}
        | . + {ratio: (.ours / .qemu), noise: (.again / .lab - 1 | fabs)})
    | entry("\($name).nvmelab"; map(.ours) | median | round; "IOPS"; null),
      entry("\($name).qemu-nvme"; map(.qemu) | median | round; "IOPS"; null),
      entry("\($name).null_blk"; map(.null) | median | round; "IOPS"; null),
      entry("\($name).ratio"; map(.ratio) | median | places(3); "ratio";
            if $at.qd == 1 then ">= 1 - noise" else ">= 1" end),
      entry("\($name).ratio.min"; map(.ratio) | min | places(2); "ratio"; null),
      entry("\($name).ratio.max"; map(.ratio) | max | places(2); "ratio"; null),
      entry("\($name).noise.median"; map(.noise) | median | places(3);
            "ratio"; null),
      entry("\($name).noise.max"; map(.noise) | max | places(3);
            "ratio"; null)))
