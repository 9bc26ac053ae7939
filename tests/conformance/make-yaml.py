#!/usr/bin/env python3
"""Asks a kubectl how it reads YAML, and writes yaml.json: python3 make-yaml.py /path/to/kubectl

`kubectl label --local` reads any object without a cluster. Each case is a text, and what kubectl makes of its first
document, or `null` where it refuses it. Numbers have gone through a 64-bit float.
"""
import json, pathlib, subprocess, sys

HEAD = "apiVersion: example.com/v1\nkind: Thing\nmetadata: {name: a}\n"

SCALARS = """yes Yes YES y Y no N n on On off OFF true True TRUE tRue false null Null NULL ~ 0777 0o17 0x1F 0X1F 0b11
0B11 -0b11 1_000 0_8 08 -0777 +1 -0 0 1.0 1. .5 -.5 +.5 1e3 1E3 1e+3 1.5e3 .5e1 1e 0e0 12345678901234567890
18446744073709551616 123456789012345678901234 -9223372036854775808 -9223372036854775809 9223372036854775808 .inf -.inf
.nan 2001-01-01 2001-12-14t21:59:43.10-05:00 1:30 190:20:30 << = 0.1 1e400 1_0.5 1__0 _1 1_ 0x 0b 0o 0o8 0b2 0xg +0x10
+0b1 -0x10 -0o17 0x_1 -0.0 1.e5 1e-7 1e21 123456789.123456789 'yes' "yes" .iNf -.INF 1.5E+3 0.0 00 +0 -1_0 0x1_F 1e3_0
--1 1-1 1,5 0x1p3 infinity nan Inf NaN 0x8000000000000000 0xFFFFFFFFFFFFFFFF 0x10000000000000000 -0x8000000000000000
01777777777777777777777 100000000000000000000 1e20 1e22 a#c ?a :a a]""".split()

CASES = ["v: " + scalar for scalar in SCALARS] + [
    "v: !!str yes", "v: !!int '5'", "v: !!float 1", "v: !!bool yes", "v: !!null x", "v: !!binary aGk=", "v: !!str",
    "v: !custom x", "v: !!int abc", "v: !!str ~", "v: ! 5", "v: !!int 0777", "v: !<tag:yaml.org,2002:str> 5",
    "v: !!timestamp 2001-01-01", "v: !!binary |\n  aGVsbG8=", "v: !!map {a: 1}", "v: !foo {a: 1}", "v: !!set {a, b}",
    "v:", "v: a b # c", "v: 'a' # c", "v: {1: a, yes: b, 1.5: d, 0x10: e}", "v: {~: a}", "? [a]\n: b", "? v\n: w",
    "v: &a {x: 1}\nw: *a", "v: &a {x: 1, z: 2}\nw: {<<: *a, z: 3}", "w: {z: 3, <<: {x: 1, z: 2}}",
    "v: &a {x: 1}\nb: &b {x: 2, z: 3}\nw: {<<: [*a, *b]}", "w: {'<<': {x: 1}}", "<<: {v: 1}\nw: 2",
    "v: {<<: 1}", "v: {<<: [1]}", "v: {<<: []}", "v: {<<: ~}", "v: {<<: [{a: 1}, {a: 2}], a: 0}",
    "v: &a b\nw: &a c\nx: *a", "v: *none", "v: &a [*a]", "v: &x\nw: *x",
    "v: a\tb", "v:\ta", "\tv: a", "v:\n\t- a", "v: {\n\ta: b\n}", "v: [\na,\nb\n]",
    "v: |\n  a\n  b", "v: >\n  a\n  b\n\n  c", "v: >-\n  a\n   b\n  c", "v: |+\n  a\n\n", "v: |2\n   a\n  b",
    "v: |\n\n\n  a", "v: |\n  ---\n  a", "v: # c\n  a", "v:\n  # c\n  a: b\n  # d\n", "v: a\n  b\n  c",
    "v: \"a\n  b\n\n  c\"", "v: 'a\n\n\n  b'", "v: \"a\\tb\\u00e9\\x41\\_\\N\"", "v: 'it''s'", "v: \"\\U0001F600\"",
    "v: \U0001F600", "v: ''", "v: [a, b,]", "v: {a, b: }", "v: {a: 1,}", "v: {\"a\":1}", "v: {a:1}",
    "v: {\"a\":b,c: d}", "v: [\"a\":b]", "v: [a: b]", "v: [? a : b]", "v:\n- a\n- b", "v:\n  - - a\n    - b",
    "v: @a", "v: `a", "v: %a", "v: a: b", "v: - a", "v: \r\nw: a\r", "v: |\r\n  a\r\n  b\r", "v: a\r\n  b\r",
    "v: 1\n...\n",
]

# Where the file ends without a line end.
OPEN = [
    "v: |\n  a", "v: |-\n  a", "v: |+\n  a", "v: >\n  a\n  b", "v: |+\n  a\n\n", "v: |+\n  a\n\n   ", "v: |", "v: |+",
    "v: |\n  a  ", "v: |\n  a\n# c", "v: |\n  a\n  # c", "v: |+\n  a\n\n# c\n\n", "v: |\n  a\n...", "v: |+\n  a\n\n...",
    "v: |\r\n  a\r\n  b", "v: 1\n---", "v: 1\n...", "v: 1 # c", "v:", "v: \"a\n  b\"",
]

def read(kubectl, text):
    words = [kubectl, "label", "--local", "-o", "json", "-f", "-", "zz=zz"]
    run = subprocess.run(words, input=text.encode(), capture_output=True, env={"KUBECONFIG": "/dev/null"})
    if run.returncode:
        return None
    value = json.loads(run.stdout)
    return {key: value[key] for key in value if key not in ("apiVersion", "kind", "metadata")}

texts = [HEAD + case + "\n" for case in CASES] + [HEAD + case for case in OPEN]
cases = [{"yaml": text, "value": read(sys.argv[1], text)} for text in texts]
version = subprocess.run([sys.argv[1], "version", "--client", "-o", "json"], capture_output=True)
result = {"kubectl": json.loads(version.stdout)["clientVersion"]["gitVersion"], "cases": cases}
pathlib.Path(__file__).with_name("yaml.json").write_text(json.dumps(result, indent=1) + "\n")
