"""How long `beamlua -e ''` takes to start and end, beside `lua5.4 -e ''`: medians, in turn."""
import statistics
import subprocess
import time

ROUNDS = 200
programs = {"lua5.4": ["lua5.4", "-e", ""], "beamlua": ["build/beamlua", "-e", ""]}
times = {name: [] for name in programs}
for _ in range(ROUNDS):
    for name, argv in programs.items():
        start = time.perf_counter()
        subprocess.run(argv, check=True)
        times[name].append(time.perf_counter() - start)
medians = {name: statistics.median(values) for name, values in times.items()}
print(f"lua5.4 {medians['lua5.4'] * 1e3:.2f} ms, beamlua {medians['beamlua'] * 1e3:.2f} ms   {medians['beamlua'] / medians['lua5.4']:.2f}")
