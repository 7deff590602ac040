# SPDX-License-Identifier: Apache-2.0
# A point of a sweep is finished when its summary is there and younger than what was asked for; see scripts/sweep.
import shlex

rule all:
    input: expand("points/{name}/summary.json", name=config["points"])

rule point:
    input: "requests/{name}.json"
    output: "points/{name}/summary.json"
    wildcard_constraints: name="[^/]+"
    threads: 1
    params: script=shlex.quote(config["script"])
    shell: "/usr/bin/python3 {params.script} {wildcards.name:q}"
