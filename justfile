# Everything a contributor does; CI calls the same scripts.

_default:
    @just --list

# Formatting, clippy, docs, licences.
check:
    ci/check.sh

# All tests.
test:
    ci/test.sh

# The cart scenario, and the same with last-write-wins.
sim seed="42":
    cargo run --release -- sim run sim-scenarios/shopping-cart.toml --seed {{seed}}
    cargo run --release -- sim run sim-scenarios/shopping-cart-lww.toml --seed {{seed}}

# The cart scenario and the general swarm with many seeds.
fuzz seeds="0..1000":
    ci/fuzz.sh {{seeds}}

# The whole shipped node on simulated machines, with madsim: `just madsim --seeds 0..1000`, `--trace`, `--sabotage NAME`.
madsim *options:
    cd madsim && cargo run --locked -- {{options}}

# Simulator throughput beside the bare event loop, madsim and turmoil, as ratios within one run. `--json` for machines.
bench *options:
    cd bench && cargo run --release --locked -- {{options}}

# What CI runs on each change.
ci:
    .ci/run

# Real bugs of real systems, planted and found.
museum:
    cargo run --release -- museum

# The digests of 500 swarm seeds, after a change that changes them.
digests:
    cargo run --release -- fuzz --seeds 0..500 --digests > ci/digests.txt

# Mutants of quorums, siblings, hints, handoff and reaping that no test notices; `just mutants claim --shard 1/8`, `just mutants again`.
mutants *options:
    ci/mutants.sh {{options}}

# Scenarios on real nodes, as long as they say; `just real whole OLD_BINARY` upgrades from another build.
real *options='whole':
    ci/real-cluster.sh {{options}}

# Bytes of strangers at one decoder: hello, peer_frames, message, http, pb, cluster, security_file. Takes `cargo install cargo-fuzz`.
fuzz-bytes target="message" seconds="60":
    cd fuzz && cargo fuzz run --sanitizer none {{target}} -- -max_total_time={{seconds}}

# The public clients of Riak against three nodes, and the suites that they bring along; `just riak-clients counters` runs what has that name.
riak-clients *feature:
    clients/run.sh {{feature}}
